"""A small C program at two commits of a real repository, built, counted by callgrind, and reported with their diff."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from profpipe.analyse import ExecutedLines, RunData, StudyData, build_report, with_changes
from profpipe.commits.changes import changes
from profpipe.model.report import Cell, CommitInfo, Conclusion, FunctionRow, Report, Waterfall
from profpipe.parse import parse_file
from profpipe.parse.callgrind.executed import executed_lines
from tests.support.analyse_cases import load, record
from tests.support.study_facts import study_data

REQUESTS = 200
METRIC = "callgrind:instructions"
NOISE = "__attribute__((noinline))"

# A program that "serves" REQUESTS times: it parses a line, writes a head and a body. 0.1 % of it are 4 instructions.
SERVER = """\
#include "server.h"

int parse(const char *line, int *fields) {
    int found = 0;
    for (int i = 0; line[i]; i++) {
        if (line[i] == ' ') {
            fields[found++ & 7] = i;
        }
    }
    return found;
}

int checksum(const char *text, int n) {
    unsigned sum = 7;
    for (int i = 0; i < n; i++) {
        sum = sum * 31 + (unsigned char)text[i];
    }
    return (int)(sum & 1023);
}

int write_head(char *out, int status) {
    int n = 0;
    for (int i = 0; i < 40; i++) {
        out[n++] = (char)('a' + (status + i) % 26);
    }
    for (int i = 0; i < 24; i++) {
        out[n++] = (char)('0' + (status * i) % 10);
    }
    return n + (checksum(out, 16) & 1);
}

int write_body(char *out, int n) {
    for (int i = 0; i < 60; i++) {
        out[n++] = (char)('A' + i % 26);
    }
    return n;
}

int answer(const char *line, char *out) {
    int fields[8] = {0};
    int found = parse(line, fields);
    int n = write_head(out, 200 + found);
    n = write_body(out, n);
    return n + checksum(out, n);
}
"""
HEADER = "".join(
    f"{NOISE} int {line};\n"
    for line in (
        "parse(const char *line, int *fields)",
        "checksum(const char *text, int n)",
        "write_head(char *out, int status)",
        "write_body(char *out, int n)",
        "answer(const char *line, char *out)",
    )
)
MAIN = """\
#include "server.h"

int main(int argc, char **argv) {
    char out[512];
    int sum = 0;
    for (int i = 0; i < 200; i++) {
        sum += answer("GET /index.html HTTP/1.1 and some more words to look at", out);
    }
    return argc + !argv > 100 + sum;
}
"""
BASE = {"server.c": SERVER, "server.h": HEADER, "main.c": MAIN}


@dataclass(frozen=True)
class Pair:
    """A report of two commits."""

    report: Report
    diff: str

    def row(self, name: str) -> FunctionRow:
        found = [r for c in self.report.hotspots[0].rows for r in c.functions if r.function.name == name]
        assert len(found) == 1, (name, [r.function.name for c in self.report.hotspots[0].rows for r in c.functions])
        return found[0]

    def has(self, name: str) -> bool:
        return any(r.function.name == name for c in self.report.hotspots[0].rows for r in c.functions)

    def cell(self, name: str) -> Cell:
        return self.row(name).cells["after"]

    def delta(self, name: str) -> float:
        cells = self.row(name).cells
        return (cells["after"].self or 0.0) - (cells["before"].self or 0.0)

    @property
    def fall(self) -> Waterfall:
        return self.report.waterfall[0]

    def said(self, rule: str) -> list[Conclusion]:
        return [c for c in self.report.conclusions if c.rule == rule]


def git(folder: Path, *words: str) -> str:
    config = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *config, *words], cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def written(folder: Path, files: Mapping[str, str | None]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)


def edited(text: str, *edits: tuple[str, str]) -> str:
    """The text with each (old, new) replaced; an edit that finds nothing is a mistake of the test."""
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


def counted(folder: Path, out: Path) -> Path:
    """Build every .c file as the program `server` and run it under callgrind."""
    sources = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.c"))
    subprocess.run(["gcc", "-O1", "-g", "-I.", *sources, "-o", "server"], cwd=folder, check=True, timeout=60)
    command = ["valgrind", "--tool=callgrind", "--separate-recs=2", f"--callgrind-out-file={out}", "./server"]
    subprocess.run(command, cwd=folder, check=True, timeout=60, capture_output=True)
    return out


def two_commits(
    folder: Path, after: Mapping[str, str | None], before: Mapping[str, str] = BASE, *, lines: bool = True
) -> Pair:
    """Commit `before`, then `after` on top of it; run each; report them, changed lines included."""
    repo = folder / "repo"
    repo.mkdir(parents=True)
    git(repo, "init", "-q", "-b", "main")
    captures, commits = {}, {}
    for variant, files in (("before", before), ("after", after)):
        written(repo, files)
        git(repo, "add", "-A")
        git(repo, "commit", "-q", "-m", variant, "--allow-empty")
        commits[variant] = git(repo, "rev-parse", "HEAD").strip()
        captures[variant] = counted(repo, folder / f"{variant}.out")
    git(repo, "status")
    diff = changes(repo, commits["before"], commits["after"])
    report = build_report(study_of(captures, commits))
    ran = ExecutedLines(*(_ran(captures[v]) for v in ("before", "after"))) if lines else ExecutedLines()
    return Pair(with_changes(report, "after", diff, ran), diff)


def _ran(path: Path) -> Any:
    with path.open("rb") as raw:
        return executed_lines([(raw, str(path))], lambda file: file.endswith((".c", ".h")))


def study_of(captures: Mapping[str, Path], commits: Mapping[str, str]) -> StudyData:
    """Of two rounds: the program reads nothing, so that its second run counts what its first one did."""
    runs = [
        RunData(record(v, "callgrind", number, command=("./server",), load=load(REQUESTS)), (parse_file(path),))
        for v, path in captures.items()
        for number in (1, 2)
    ]
    return study_data(
        runs,
        tuple(captures),
        study="diff",
        kinds={"callgrind": "counted"},
        languages=dict.fromkeys(captures, "native"),
        commits={v: CommitInfo(commit=c) for v, c in commits.items()},
    )
