"""categories.toml: every rule proved by names of real captures, and what it leaves over is small and printed."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from profpipe.analyse.matrix import own_names
from profpipe.analyse.names.categories import OTHER, Categories, Rule, categories
from profpipe.analyse.names.demangle import normal_name
from profpipe.analyse.names.levels import levels_of, place
from profpipe.analyse.names.source_paths import short_file
from profpipe.model.derive import function_table
from profpipe.model.profile import NATIVE
from profpipe.parse import pstats
from profpipe.study.globs import glob
from profpipe.study.schema import CategoryRule
from tests.support.analyse_cases import callgrind, concurrency
from tests.support.paths import DATA

RULES = categories()
BUILT_IN = [
    rule for runtime in ("native", "python", "kernel", "go", "js", "java") for rule in RULES.built_in[runtime].rules
]
EXAMPLES = [(rule, example) for rule in BUILT_IN for example in rule.examples]


def parts(example: str) -> tuple[str, str, str]:
    """name, file, object of `name`, `name @ file`, `name # object` or `name @ file # object`."""
    place, _, object_ = example.partition(" # ")
    name, _, file = place.partition(" @ ")
    return name, file, object_


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=lambda value: value if isinstance(value, str) else "")
def test_an_example_gets_its_rules_category(rule: Rule, example: str) -> None:
    name, file, object_ = parts(example)
    runtime = rule.runtime or "native"
    found = RULES.of(normal_name(name, language=runtime), object_, file, runtime)
    assert found == rule.category


def test_every_rule_has_an_example_and_a_known_category() -> None:
    known = {c.key for c in RULES.categories}
    for rule in BUILT_IN:
        assert rule.examples, f"a rule of {rule.category} has no example"
        assert rule.category in known
    assert {r.category for r in BUILT_IN} | {"application", "standard-library", OTHER} == known
    assert RULES.version == 1


def shares(server: str) -> dict[str, float]:
    profile, own = callgrind(server), frozenset({f"srv_{server}", f"srv_{server}.py"})
    f, levels = profile.functions, levels_of(profile)
    values = function_table(profile, "instructions")["self"].tolist()
    found: dict[str, float] = {}
    for value, name, file, object_ in zip(values, f.name, f.file, f.object, strict=True):
        level = place(file, object_, NATIVE, levels)[2]
        key = RULES.of(normal_name(name, object_, level), object_, file, level, own)
        found[key] = found.get(key, 0.0) + value / profile.self_sum("instructions")
    return found


SERVERS = ("c", "go", "threads", "asyncio", "gevent", "uvloop")


@pytest.mark.parametrize("server", SERVERS)
def test_under_a_quarter_of_a_real_capture_has_no_category(server: str) -> None:
    found = shares(server)
    assert found.get(OTHER, 0.0) < 0.25
    assert sum(found.values()) == pytest.approx(1.0)


def test_shares_of_the_samples(golden: Callable[[str, str], None]) -> None:
    lines = []
    for server in SERVERS:
        ordered = sorted(shares(server).items(), key=lambda item: (-item[1], item[0]))
        lines.append(
            f"{server}\n" + "".join(f"  {part * 100:5.1f} %  {key}\n" for key, part in ordered if part >= 5e-4)
        )
    golden("analyse-category-shares.txt", "\n".join(lines))


SERVICES = {
    "json", "encoding", "validation", "templates", "orm", "database", "regexp", "logging", "exceptions", "warnings",
    "compression", "crypto", "copying", "date-time", "imports", "thread-pool", "web-framework", "http-parse",
    "http-client",
}  # fmt: skip


def of_services(*, short: bool = False) -> dict[str, float]:
    """The share of each category of the CPU time of a profile of Flask, Django and FastAPI with their libraries."""
    with gzip.open(DATA / "analyse/services.pstats.gz") as raw:
        profile = pstats.parse(raw, "services.pstats")  # type: ignore[arg-type]
    f, found = profile.functions, dict[str, float]()
    values = function_table(profile, "time_ns")["self"].tolist()
    for value, name, file in zip(values, f.name, f.file, strict=True):
        key = RULES.of(name, "", short_file(file) if short else file, "python", frozenset({"services.py"}))
        found[key] = found.get(key, 0.0) + value / profile.self_sum("time_ns")
    return found


@pytest.mark.parametrize("short", [False, True])
def test_what_services_do_has_a_name_whichever_library_does_it(short: bool) -> None:
    """With whole paths, as yappi writes them, and with paths cut short, as samplers do."""
    found = of_services(short=short)
    assert found.keys() >= SERVICES
    assert found.get(OTHER, 0.0) + found.get("library", 0.0) < 0.01
    assert sum(found.values()) == pytest.approx(1.0)


def test_a_users_rule_comes_first_and_may_name_a_new_category() -> None:
    own = CategoryRule(category="json", label="JSON", match=("*json*", "malloc"))
    rules = categories([own])
    assert rules.of("malloc") == "json"
    assert rules.of("encode_json", "", "/srv/app.py", "python") == "json"
    assert rules.of("free") == "alloc"
    assert [c.label for c in rules.categories if c.key == "json"] == ["JSON"]


def test_a_users_rule_can_be_narrowed_to_an_object_or_a_file() -> None:
    rules = categories(
        [
            CategoryRule(category="ours", match=("*",), object="libours*"),
            CategoryRule(category="theirs", match=("run",), file="*/theirs/*"),
        ]
    )
    assert rules.of("anything", "/opt/libours.so.1") == "ours"
    assert rules.of("run", "", "/x/theirs/a.c") == "theirs"
    assert rules.of("run", "", "/x/a.c") == OTHER


def test_type_arguments_do_not_decide_the_category() -> None:
    """A coroutine's entry closure, a map and a queue of coroutines are no switches; the post took one for it."""
    assert RULES.of("<hashbrown::map::HashMap<u64, may::Q<generator::gen_impl::G<E>>>>::get::<u64>") == "hashing"
    assert RULES.of("<may_queue::mpsc::Queue<generator::gen_impl::GeneratorObj<E, false>>>::bulk_pop") == "locking"
    assert RULES.of("<generator::stack::StackBox<<generator::gen_impl::G<E>>::init_code>>::call_once") == "application"
    assert RULES.of("<generator::gen_impl::GeneratorImpl<E, S>>::resume") == "context-switch"


def test_the_targets_own_code_is_the_application() -> None:
    assert RULES.of("handle", "/srv/app/server", "server.rs", "native", frozenset({"server"})) == "application"
    assert RULES.of("handle", "/srv/app/server", "server.rs", "native") == OTHER
    assert RULES.of("parse", "", "/srv/app/srv_threads.py", "python") == "application"
    assert RULES.of("parse", "", "srv_threads.py", "python") == "application"
    assert RULES.of("strftime", "", "/srv/app/http.py", "python", frozenset({"http.py"})) == "application"
    assert RULES.of("__call__", "", "/opt/python3.11/lib/python3.11/enum.py", "python") == "standard-library"
    assert RULES.of("invoke", "", "/srv/shop/.venv/lib/python3.11/site-packages/click/core.py", "python") == "library"
    assert RULES.of("invoke", "", "click/core.py", "python") == "library"  # as samplers cut it


def test_rules_for_python_do_not_match_c_names_and_vice_versa() -> None:
    assert RULES.of("time.Now", "", "", "go") == "date-time"
    assert RULES.of("time.Now", "", "", "native") == OTHER
    assert RULES.of("tcp_sendmsg", "", "", "go") == OTHER
    assert RULES.of("len", "", "builtins", "python") == "built-ins"
    assert RULES.of("len", "", "", "native") == OTHER
    assert RULES.of("tcp_sendmsg", "", "", "kernel") == "kernel-network"
    assert RULES.of("tcp_sendmsg", "", "", "native") == OTHER


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("a*b", ["ab", "axxb", "abab"], ["a", "ba", "abx"]),
        ("*x*y*", ["xy", "1x2y3"], ["yx", "x"]),
        ("**", ["", "anything\nat all"], []),
        ("f(*).[x]", ["f(1).[x]"], ["f(1).x"]),
    ],
)
def test_a_glob_matches_the_whole_text(pattern: str, yes: list[str], no: list[str]) -> None:
    expression = glob(pattern)
    assert all(expression.match(text) for text in yes)
    assert not any(expression.match(text) for text in no)


def test_no_pattern_can_backtrack_over_its_stars() -> None:
    """A star before another is an atomic group: 30 stars on 60,000 letters end, which they would not otherwise."""
    expression = glob("*a" * 30 + "*b")
    assert expression.match("a" * 60_000) is None
    everything: Categories = categories()
    assert everything.of("a" * 60_000) == OTHER
    assert everything.of("<" * 30_000 + " as *>::poll" * 2_000) in {c.key for c in everything.categories}


def test_own_names_are_the_program_and_its_scripts() -> None:
    study = concurrency(("threads",), rounds=1, counted=1)
    assert own_names(study, "threads") == {"srv_threads.py"}


def test_a_short_file_of_a_sampler_finds_the_same_rule() -> None:
    long = "/opt/python3.11/lib/python3.11/asyncio/streams.py"
    assert RULES.of("StreamReader.readuntil", "", long, "python") == "stream-layer"
    assert RULES.of("StreamReader.readuntil", "", short_file(long), "python") == "stream-layer"
