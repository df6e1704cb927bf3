"""The published studies that exist, and what happens to a name that does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from profpipe.errors import ConfigError, UsageError
from profpipe.pipeline.setup import read_file
from profpipe.reference.registry import NAME_STYLES, STUDIES
from tests.support.seed_cases import seed_report

FILE = """\
[target.a]
command = ["a", "--port", "{port}"]
ready.tcp = true
[study.s]
targets = ["a"]
profilers = ["clean"]
"""


@pytest.mark.parametrize("key", STUDIES.names())
def test_a_published_study_has_words_and_numbered_rows(key: str) -> None:
    study = STUDIES.get(key)
    assert study.title
    assert study.about.endswith(".")
    rows = study.rows(seed_report(), None)
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert all(row.what and row.post for row in rows)
    assert all(row.why for row in rows if row.verdict == "not measured")


@pytest.mark.parametrize("key", NAME_STYLES.names())
def test_a_name_style_writes_one_line_of_every_row(key: str) -> None:
    style = NAME_STYLES.get(key)
    text = style.listing([(3, f"a.c:{style.name('run')}"), (1, "b.c:stop")], 4)
    assert "a.c:run" in text
    assert text.index("a.c:run") < text.index("b.c:stop")


def test_a_name_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(UsageError, match="no published study named 'post-2019'; there are: post-2018"):
        STUDIES.get("post-2019")
    with pytest.raises(UsageError, match="no name style named 'gprof'; there are: cargo-profiler"):
        NAME_STYLES.get("gprof")


def test_a_name_that_does_not_exist_is_a_mistake_of_the_study_file(tmp_path: Path) -> None:
    path = tmp_path / "profpipe.toml"
    path.write_text(FILE + 'reference = "post-2019"\nname_style = "gprof"\n')
    with pytest.raises(ConfigError) as caught:
        read_file(path)
    first, second = str(caught.value).splitlines()
    assert first.endswith(
        'profpipe.toml:7:1: study.s.reference: unknown reference "post-2019"; did you mean "post-2018"?'
    )
    assert second.endswith('profpipe.toml:8:1: study.s.name_style: unknown name_style "gprof"; known: cargo-profiler')
