"""Parts of another package that are imported without a fault and raise when they are used."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.gen_study import write_study
from profpipe import store
from tests.support import distributions
from tests.support.study_driving import StudyFolder, slow

pytestmark = pytest.mark.programs

PARTS = {
    "parsers": "SAYS = frozenset()\nRECORD = ''\ndef sniff(head, filename): raise KeyError('sniff')\n"
    "def parse(raw, source): raise KeyError('parse')\n",
    "exporters": "SUFFIX = '.x'\nNEEDS = frozenset()\ndef export(profile): raise ValueError('two\\nlines \\x1b[31m')\n",
    "loads": "MODES = frozenset()\nPROGRAM = None\ndef missing(): return None\ndef refuses(plan): return None\n"
    "def run(plan, host, port, *, cpus, folder): raise ZeroDivisionError\n",
    "forges": "NAME = API = TOKEN_HINT = ''\nTOKENS = ()\nNEEDS = {}\nTAKES_PAGE = False\nPAGES = None\n"
    "def detect(environment): raise LookupError('nowhere')\ndef api_of(url): return url\n"
    "def fits(repository): return True\ndef forbidden(need, token): return ''\n"
    "def connect(place, token, wire): raise LookupError\n",
    "profilers": "from profpipe.capture.profilers.clean import PROFILER as clean\n"
    "class Odd(type(clean)):\n    name = 'odd'\n    def session(self, launch): raise AttributeError('no session')\n"
    "PROFILER = Odd()\n",
    "references": "title = about = 'odd'\nrelated = ''\ndef rows(report, related): raise EOFError('no table')\n",
    "name_styles": "def name(name): raise RecursionError('no name')\ndef listing(rows, total): return ''\n",
    "executors": "def missing(): return None\ndef session(study, address, listen): raise OSError('no host')\n",
}


@pytest.fixture
def raising(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    for kind, source in PARTS.items():
        value = f"raising_{kind}:PROFILER" if kind == "profilers" else ""
        distributions.install(folder, f"raising-{kind}", source, group=f"profpipe.{kind}", names={"odd": value})
    return folder


def profpipe(packages: Path, *words: str | Path, code: int) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(packages), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "profpipe", *map(str, words)],
        capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=packages,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_parser_that_raises_on_the_first_bytes_is_named_and_the_others_are_asked(raising: Path) -> None:
    (raising / "file").write_text("<nothing that is known>\n")
    unknown = profpipe(raising, "parse", raising / "file", code=1).stderr
    assert "no known format" in unknown
    assert "parser 'odd' of raising-parsers 1.2 is left out: it raised KeyError: 'sniff'" in unknown


def test_a_parser_and_an_exporter_that_raise_are_errors_in_one_line(raising: Path) -> None:
    (raising / "file").write_text("main;read 3\n")
    parsed = profpipe(raising, "parse", "--format", "odd", raising / "file", code=1).stderr
    assert "parser 'odd' of raising-parsers 1.2 is left out: it raised KeyError: 'parse'" in parsed
    exported = profpipe(raising, "export", raising / "file", "--to", "odd", code=1).stderr
    assert "exporter 'odd' of raising-exporters 1.2 is left out: it raised ValueError: two lines" in exported
    assert "\x1b" not in exported


def test_a_forge_that_raises_is_named_and_the_others_are_asked(raising: Path) -> None:
    script = "from profpipe.publish.locate import detect\nprint(detect({'GITHUB_ACTIONS': ''}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True,
        env={"PYTHONPATH": str(raising)},
    )  # fmt: skip
    assert done.stdout == "None\n"
    assert done.stderr == "forge 'odd' of raising-forges 1.2 is left out: it raised LookupError: nowhere\n"


def test_a_report_says_which_published_study_and_name_style_raised_and_has_all_else(
    raising: Path, tmp_path: Path
) -> None:
    stored = write_study(tmp_path, rounds=1)
    store.write_study(stored, replace(store.read_study(stored), reference="odd", name_style="odd"))
    profpipe(raising, "report", stored, "--output", tmp_path / "out", code=0)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    said = {conclusion["id"]: conclusion["text"] for conclusion in report["conclusions"]}
    assert said["name-style-failed"] == (
        "The raw lists have names as captured: "
        "name style 'odd' of raising-name_styles 1.2 is left out: it raised RecursionError: no name."
    )
    assert said["published-study-failed"] == (
        "The report is not compared with the published study it names: "
        "published study 'odd' of raising-references 1.2 is left out: it raised EOFError: no table."
    )
    assert (report["reference"], report["seed_table"]) == (None, [])
    assert report["classic"]
    assert any(conclusion["rule"] == "cost" for conclusion in report["conclusions"])


def test_a_list_in_a_name_style_that_raises_is_an_error_in_one_line(raising: Path) -> None:
    (raising / "file").write_text("main;read 3\n")
    done = profpipe(raising, "parse", raising / "file", "--name-style", "odd", code=1)
    assert done.stderr.endswith(
        "name style 'odd' of raising-name_styles 1.2 is left out: it raised RecursionError: no name\n"
    )
    assert done.stderr.count("\n") == 1


def test_a_session_that_raises_ends_the_study_in_one_line_and_leaves_no_folder(raising: Path, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study", {"PYTHONPATH": str(raising)})
    folder.write({"a": slow(0.0), "b": slow(0.0)})
    done = folder.do("run", "s", "--on", "odd")
    assert done.code == 1
    assert "executor 'odd' of raising-executors 1.2 is left out: it raised OSError: no host" in done.err
    assert "Traceback" not in done.err
    folder.check_left_nothing()


@pytest.mark.real
def test_runs_of_a_profiler_that_raises_are_invalid_and_the_rest_is_measured(raising: Path, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study", {"PYTHONPATH": str(raising)})
    folder.write({"a": slow(0.0), "b": slow(0.0)}, profilers=["clean", "odd"])
    folder.do("run", "s")
    runs = folder.report()["runs"]
    reasons = {run["profiler"]: run["why"] for run in runs}
    assert reasons["clean"] is None
    assert reasons["odd"] == (
        "profiler 'odd' of raising-profilers 1.2 is left out: it raised AttributeError: no session"
    )


@pytest.mark.real
def test_runs_of_a_load_generator_that_raises_say_so(raising: Path, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study", {"PYTHONPATH": str(raising)})
    folder.write({"a": slow(0.0), "b": slow(0.0)})
    done = folder.do("run", "s", "--generator", "odd")
    assert "load generator 'odd' of raising-loads 1.2 is left out: it raised ZeroDivisionError" in done.err
    assert "Traceback" not in done.err
