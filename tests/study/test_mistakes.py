"""Mistakes in profpipe.toml: all at once, each with its position and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from profpipe.errors import EXIT_USAGE, ConfigError
from tests.support.study_file import SERVER, mistakes, read

STUDY = SERVER + '[study.s]\ntargets = ["a"]\n'


BROKEN = """\
schema = 1

[target.x]
label = "X"
ready.line = "port (?P<port>"
ready.http = "/"

[target.y]
comand = ["{python}", "y.py"]
cwd = "../.."
stop = "SIGTREM"
env = { A = 1 }

["target"."b c"]
command = ["a", 3]

[target.z]
command = ["a", "{prot}"]

[study.s]
targets = ["x", "yy", "x"]
baseline = "z"
profilers = ["clean", "calgrind"]
rounds = true
profiler.yapi.rounds = 2
load = { mode = "rate", requests = 5, request.headers = { "a b" = "x" } }
latency = {}

[[category]]
category = "memcopy"
match = ["a*"]
examples = ["abc",
  "bcd"]
"""


def test_all_mistakes_come_at_once_in_the_files_order(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    golden("study_mistakes.txt", "\n".join(mistakes(tmp_path, BROKEN)) + "\n")


def test_a_mistake_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "[target.a]\n")
    assert caught.value.exit_code == EXIT_USAGE == 2


ONE_MISTAKE: dict[str, tuple[str, str]] = {
    "unknown key": (SERVER + 'labl = "A"', '3:1: target.a.labl: unknown key; did you mean "label"?'),
    "unknown key, nothing near": (
        "zzz = 1",
        "1:1: zzz: unknown key; known: category, load, schema, service, study, target",
    ),
    "key of a nested table": (SERVER + "ready.htp = 1", '3:7: target.a.ready.htp: unknown key; did you mean "http"?'),
    "missing command": ("[target.a]\n", '1:9: target.a: missing key "command"'),
    "misspelt required key is one mistake": (
        '[target.a]\ncomand = ["{port}"]',
        '2:1: target.a.comand: unknown key; did you mean "command"?',
    ),
    "text for a number": (SERVER + 'port = "80"', '3:1: target.a.port: must be a whole number, got "80"'),
    "true for a number": (STUDY + "rounds = true", "5:1: study.s.rounds: must be a whole number, got true"),
    "number for text": (SERVER + "label = 3", "3:1: target.a.label: must be text, got 3"),
    "date for text": (SERVER + "label = 2026-01-01", "3:1: target.a.label: must be text, got"),
    "port out of range": (
        SERVER + "port = 70000",
        "3:1: target.a.port: must be less than or equal to 65535, got 70000",
    ),
    "infinite rate": (STUDY + 'load = {mode="rate", rate=inf}', "5:22: study.s.load.rate: must be a finite number"),
    "text for an array": ('[target.a]\ncommand = "srv"', '2:1: target.a.command: must be an array, got "srv"'),
    "empty array": ("[target.a]\ncommand = []", "2:1: target.a.command: must not be empty"),
    "item of an array": (
        '[target.a]\ncommand = [\n  "srv {port}",\n  # a comment\n  3,\n]',
        "5:3: target.a.command[1]: must be text, got 3",
    ),
    "value for a table": ("target = 3", "1:1: target: must be a table, got 3"),
    "wrong word": (
        STUDY + 'placement = "same_core"',
        "5:1: study.s.placement: must be 'auto', 'same-core', 'split', 'spread' or 'free', "
        'got "same_core"; did you mean "same-core"?',
    ),
    "no name": ('[target."a b"]\ncommand = ["{port}"]', '1:9: target."a b": "a b" is not a name: a name starts with'),
    "a name that climbs out": (
        '[target."../x"]\ncommand = ["{port}"]',
        '1:9: target."../x": "../x" is not a name: a name starts with',
    ),
    "a profiler's option": (
        STUDY + "profiler.clean.options.x = [1]",
        "5:24: study.s.profiler.clean.options.x: must be text, a number or true/false, got [1]",
    ),
    "newer file": ("schema = 2", "1:1: schema: this profpipe reads schema 1, got 2"),
    "unknown target": (
        SERVER + '[study.s]\ntargets = ["a", "ab"]',
        '4:17: study.s.targets[1]: no [target.ab] in this file; did you mean "a"?',
    ),
    "target twice": (SERVER + '[study.s]\ntargets = ["a", "a"]', '4:17: study.s.targets[1]: "a" is listed twice'),
    "baseline outside the study": (
        STUDY + 'baseline = "b"\n[target.b]\ncommand = ["{port}"]',
        '5:1: study.s.baseline: "b" is not one of the study\'s targets; known: a',
    ),
    "one label for two": (
        SERVER + '[target.b]\ncommand = ["{port}"]\nlabel = "a"\n[study.s]\ntargets = ["a", "b"]',
        '7:1: study.s.targets: two targets are labelled "a"',
    ),
    "unknown profiler": (
        STUDY + 'profilers = ["clean", "pyspy"]',
        '5:23: study.s.profilers[1]: unknown profiler "pyspy"; did you mean "py-spy"?',
    ),
    "profiler twice": (
        STUDY + 'profilers = ["clean", "clean"]',
        '5:23: study.s.profilers[1]: "clean" is listed twice',
    ),
    "no profiler": (STUDY + "profilers = []", "5:1: study.s.profilers: must not be empty"),
    "settings of a profiler that is not used": (
        STUDY + 'profilers = ["clean"]\nprofiler.yappi = { rounds = 2 }',
        "6:10: study.s.profiler.yappi: not among this study's profilers; known: clean",
    ),
    "unknown generator": (
        STUDY + 'load.generator = "h2laod"',
        '5:6: study.s.load.generator: unknown load generator "h2laod"; did you mean "h2load"?',
    ),
    "rate without a rate": (
        STUDY + 'load.mode = "rate"',
        '5:6: study.s.load.mode: mode "rate" needs rate = NUMBER, in requests a second',
    ),
    "requests in mode closed": (
        STUDY + 'load = { mode = "closed", requests = 5 }',
        '5:27: study.s.load.requests: has no effect in mode "closed"',
    ),
    "latency at no fixed rate": (
        STUDY + 'latency = { mode = "closed" }',
        "5:1: study.s.latency: latency is compared at a fixed rate",
    ),
    "throughput at a fixed rate": (
        STUDY + 'throughput = { mode = "rate", rate = 5.0 }',
        "5:1: study.s.throughput: throughput is measured with a closed loop",
    ),
    "ready twice": (
        SERVER + 'ready = { tcp = true, line = "x" }',
        "3:1: target.a.ready: tcp and line are both set: keep one",
    ),
    "ready is no path": (SERVER + 'ready.http = "health"', "3:7: target.a.ready.http: a path must start with `/`"),
    "ready is no expression": (
        SERVER + 'ready.line = "(x"',
        "3:7: target.a.ready.line: not a regular expression: missing ), unterminated subpattern",
    ),
    "nothing tells the port": ('[target.a]\ncommand = ["srv"]', "2:1: target.a.command: the server's port is unknown"),
    "unknown placeholder": (
        '[target.a]\ncommand = ["srv", "{port}", "{pyhton}"]',
        '2:29: target.a.command[2]: unknown placeholder {pyhton}; did you mean "python"?',
    ),
    "a build knows no port": (
        SERVER + 'build = [["make"], ["x", "{port}"]]',
        "3:26: target.a.build[1][1]: unknown placeholder {port}; known: checkout, env, python",
    ),
    "NUL in an argument": (
        '[target.a]\ncommand = ["{port}", "a\\u0000b"]',
        "2:22: target.a.command[1]: a NUL character cannot be passed",
    ),
    "no variable's name": (
        SERVER + 'env = { "A=B" = "1" }',
        '3:9: target.a.env."A=B": the name of an environment variable',
    ),
    "cwd outside": (SERVER + 'cwd = ".."', "3:1: target.a.cwd: .. is outside the folder of this file"),
    "cwd elsewhere": (SERVER + 'cwd = "/"', "3:1: target.a.cwd: / is outside the folder of this file"),
    "cwd that is not there": (SERVER + 'cwd = "sub"', "3:1: target.a.cwd: no such folder: sub"),
    "header of two lines": (
        SERVER + 'request.headers.a = "b\\r\\nc: d"',
        "3:17: target.a.request.headers.a: not a valid header",
    ),
    "header that the load sets": (
        SERVER + 'request.headers.Content-Length = "3"',
        "3:17: target.a.request.headers.Content-Length: the load generator sets this header itself",
    ),
    "path with a space": (SERVER + 'request.path = "/a b"', "3:9: target.a.request.path: must be text like ^/"),
    "unknown category": (
        '[[category]]\ncategory = "memcopy"\nmatch = ["x"]',
        '2:1: category[0].category: no category "memcopy"; a new one needs a label; did you mean "memcpy"?',
    ),
    "example that does not match": (
        '[[category]]\ncategory = "format"\nmatch = ["fmt_*"]\n\n'
        '[[category]]\ncategory = "format"\nmatch = ["a*b"]\nexamples = ["ab", "abc"]',
        '8:19: category[1].examples[1]: "abc" matches none',
    ),
    "no TOML": ("[target.a\n", "1:10: not valid TOML: Expected ']'"),
    "no TOML at the end": ('a = "x', "1:7: not valid TOML: Unterminated string"),
    "key twice": ("a = 1\na = 2\n", "2:6: not valid TOML: Cannot overwrite a value"),
}


@pytest.mark.parametrize(("text", "line"), ONE_MISTAKE.values(), ids=ONE_MISTAKE)
def test_one_mistake_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    (found,) = mistakes(tmp_path, text)
    assert found.startswith(f"profpipe.toml:{line}"), found


def test_what_hangs_on_a_broken_key_is_not_blamed_too(tmp_path: Path) -> None:
    """`targets` has a mistake, so the baseline is not checked; the rest of the table is."""
    found = mistakes(tmp_path, SERVER + '[study.s]\ntargets = "a"\nbaseline = "a"\nrounds = 0\nload.mode = "rate"')
    assert [line.split(": ")[1] for line in found] == ["study.s.targets", "study.s.rounds", "study.s.load.mode"]
