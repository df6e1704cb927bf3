"""The index of all category rules answers as trying each rule in turn does."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.analyse.names.categories import Rule, RuleSet, categories
from profpipe.analyse.names.demangle import normal_name, path_of
from profpipe.analyse.names.globs import glob_index
from profpipe.analyse.names.source_paths import base_name
from profpipe.errors import ProfpipeError
from profpipe.parse import parse_file
from profpipe.study.globs import glob
from tests.support.paths import DATA

RULES = categories()
Function = tuple[str, str, str]


def in_turn(rules: RuleSet, name: str, path: str, object_: str, file: str) -> str | None:
    """What `RuleSet.first` must answer, found the slow way."""

    def any_of(globs: tuple[str, ...], text: str) -> bool:
        return any(glob(pattern).match(text) for pattern in globs)

    for rule in rules.rules:
        if (
            (not rule.objects or any_of(rule.objects, base_name(object_)))
            and (not rule.files or any_of(rule.files, file))
            and any_of(rule.names, name if rule.whole else path)
        ):
            return rule.category
    return None


@cache
def stored_functions(folder: Path) -> frozenset[Function]:
    """(name, object, file) of every function in every capture of tests/data that is whole."""
    found: set[Function] = set()
    for stored in sorted(DATA.rglob("*")):
        if not stored.is_file() or stored.suffix in (".md", ".c", ".h"):
            continue
        path = stored
        if stored.suffix == ".gz":
            path = folder / stored.stem
            path.write_bytes(gzip.decompress(stored.read_bytes()))
        try:
            functions = parse_file(path).functions
        except ProfpipeError:
            continue
        found |= {
            (normal_name(name, object_), object_, file)
            for name, object_, file in zip(functions.name, functions.object, functions.file, strict=True)
        }
    return frozenset(found)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["native", "python", "kernel", "go", "js", "java"])
def test_every_function_of_the_stored_captures(runtime: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    functions = stored_functions(tmp_path_factory.getbasetemp())
    assert len(functions) > 3_500
    rules = RULES.built_in[runtime]
    for name, object_, file in functions:
        path = path_of(name)
        assert rules.first(name, path, object_, file) == in_turn(rules, name, path, object_, file), (name, file)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["native", "python", "kernel", "go", "js", "java"])
def test_every_example_and_every_pattern_of_the_rules(runtime: str) -> None:
    rules = RULES.built_in[runtime]
    texts = {example for rule in rules.rules for example in rule.examples}
    texts |= {pattern.replace("*", stand) for r in rules.rules for pattern in r.names for stand in ("", "x", "::a<b>")}
    for text in texts:
        name, _, file = text.partition(" @ ")
        name, _, object_ = name.partition(" # ")
        assert rules.first(name, path_of(name), object_, file) == in_turn(rules, name, path_of(name), object_, file)


PATTERN = st.text(alphabet="ab*", max_size=6)
TEXT = st.text(alphabet="ab\n", max_size=8)


@given(st.lists(st.lists(PATTERN, max_size=4), max_size=4), TEXT)
def test_any_globs_on_any_text(groups: list[list[str]], text: str) -> None:
    found = glob_index(groups).matching(text)
    assert found == {n for n, group in enumerate(groups) if any(glob(pattern).match(text) for pattern in group)}


FIELD = st.lists(PATTERN, max_size=2).map(tuple)
RULE = st.builds(
    Rule,
    category=st.sampled_from(["x", "y", "z"]),
    names=st.lists(PATTERN, min_size=1, max_size=3).map(tuple),
    objects=FIELD,
    files=FIELD,
    whole=st.booleans(),
)


@given(st.lists(RULE, max_size=5), TEXT, TEXT, TEXT, TEXT)
def test_any_rules_on_any_function(rules: list[Rule], name: str, path: str, object_: str, file: str) -> None:
    listed = RuleSet(tuple(rules))
    assert listed.first(name, path, object_, file) == in_turn(listed, name, path, object_, file)
