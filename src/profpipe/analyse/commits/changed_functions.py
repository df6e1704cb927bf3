"""Which functions a diff changed: by the lines that the profiler saw run in them, else by the headings of git."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from profpipe.analyse.commits.diff import ChangedFile, Diff, Line, parse_diff
from profpipe.analyse.names.demangle import normal_name
from profpipe.analyse.names.source_paths import installed, short_file
from profpipe.analyse.names.stems import last_word
from profpipe.model.lines import FunctionLines
from profpipe.model.report import Certainty, ChangedLines, FunctionName, FunctionRow, Report

Span = tuple[int, int]
MAX_SPANS = 40

_SEEN = "the profiler saw a changed line run in it"
_WITHIN = "the changed lines lie between lines that ran in it"
_NAMED = "git names it above the changed lines"
_FILE = "its file changed; which of its lines is unknown"


@dataclass(frozen=True, slots=True)
class FunctionNames:
    """A function to look for: its name and file at each commit, None where it did not exist."""

    before: FunctionName | None
    after: FunctionName | None


@dataclass(frozen=True, slots=True)
class ExecutedLines:
    """The lines that ran at each commit, as the profilers wrote them; empty = unknown."""

    before: tuple[FunctionLines, ...] = ()
    after: tuple[FunctionLines, ...] = ()


NO_LINES = ExecutedLines()


@dataclass(slots=True)
class _Hit:
    """The changed lines of one function in one file, while they are collected."""

    added: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    seen: bool = False
    within: bool = False


@dataclass(frozen=True, slots=True)
class _ExecutedFile:
    """One file at one commit: which of the functions ran at a line, and these lines in order."""

    at: Mapping[int, frozenset[int]]
    order: tuple[int, ...]

    def around(self, line: int) -> frozenset[int]:
        """The functions that ran both at the nearest line before and at the nearest line after."""
        at = bisect(self.order, line)
        if not 0 < at < len(self.order):
            return frozenset()
        return self.at[self.order[at - 1]] & self.at[self.order[at]]


def in_changed_file(path: str, changed: Iterable[str], root: str = "") -> str | None:
    """The changed path that a profile's path means; None for none, for several, and for an installed file.

    `path` may be absolute in any checkout, relative to the repository or to `root` (the target's folder in it), or only
    the end of a path. A longer path of the profile must end in the whole path of the repository.
    """
    if not path or installed(path):
        return None
    cut = short_file(path)
    exact = [p for p in changed if p in (path, cut) or (root and p == _joined(root, path))]
    if exact:
        return exact[0] if len(set(exact)) == 1 else None
    parts = _parts(path)
    near = {p for p in changed if _ends(parts, _parts(p)) or (not path.startswith("/") and _ends(_parts(p), parts))}
    return near.pop() if len(near) == 1 else None


def _parts(path: str) -> list[str]:
    return [p for p in path.split("/") if p not in ("", ".")]


def _joined(root: str, path: str) -> str:
    return "/".join([*_parts(root), *_parts(path)])


def _ends(longer: list[str], shorter: list[str]) -> bool:
    return bool(shorter) and longer[-len(shorter) :] == shorter


def changed_functions(
    diff: Diff, functions: Sequence[FunctionNames], ran: ExecutedLines = NO_LINES, root: str = ""
) -> dict[int, tuple[ChangedLines, ...]]:
    """Position in `functions` -> the changed lines inside that function, the file with most lines first. Certainty:

    - measured: a changed line ran in the function (its own line, or code inlined into it);
    - likely: changed lines lie between lines that ran in it, begin its definition, or git's heading names it;
    - hint: the file changed, neither lines nor headings show where, and the lines of the function are unknown.
    """
    found: dict[int, dict[str, _Hit]] = {}
    loose: dict[str, int] = {}
    known = {
        side: _ran_by_file(diff, functions, lines, side, root)
        for side, lines in (("before", ran.before), ("after", ran.after))
    }
    for file in diff.files:
        members = {
            side: _members(functions, side, path, root)
            for side, path in (("before", file.before), ("after", file.after))
            if path is not None
        }
        loose[file.path] = _file(file, members, known, found)
    out = {i: {path: _changed(path, hit) for path, hit in hits.items()} for i, hits in found.items()}
    for i, path in _hints(diff, functions, ran, root):
        if loose.get(path) and i not in out:
            out[i] = {path: ChangedLines(file=path, lines=loose[path], certainty="hint", why=_FILE)}
    return {i: tuple(sorted(hits.values(), key=lambda c: (-c.lines, c.file))) for i, hits in out.items()}


def _file(
    file: ChangedFile,
    members: Mapping[str, Mapping[str, frozenset[int]]],
    known: Mapping[str, Mapping[str, _ExecutedFile]],
    found: dict[int, dict[str, _Hit]],
) -> int:
    """Assign every changed line of a file to its functions; returns the number of unassigned lines."""
    left = 0
    for hunk in file.hunks:
        for side, path, lines in (("before", file.before, hunk.removed), ("after", file.after, hunk.added)):
            name = hunk.heading
            for line in lines:
                name = line.defines or name
                owners, kind = _owners(line, name, known[side].get(path or ""), members.get(side, {}))
                left += not owners
                for owner in owners:
                    hit = found.setdefault(owner, {}).setdefault(file.path, _Hit())
                    (hit.added if side == "after" else hit.removed).add(line.number)
                    hit.seen |= kind == "seen"
                    hit.within |= kind == "within"
    return left


def _owners(
    line: Line, name: str, ran: _ExecutedFile | None, members: Mapping[str, frozenset[int]]
) -> tuple[frozenset[int], str]:
    """The functions that contain a changed line, and how that is known: "seen", "within" or "named".

    git's heading names the last definition before the hunk, which may have ended there. A function whose lines are
    known is therefore not matched by name to a line after its last one.
    """
    if ran is not None:
        if line.number in ran.at:
            return ran.at[line.number], "seen"
        around = ran.around(line.number)
        if around:
            return around, "within"
    named = members.get(name, frozenset())
    if ran is not None and not line.defines and ran.order:
        named = frozenset(
            i for i in named if not (own := [n for n in ran.order if i in ran.at[n]]) or line.number <= own[-1]
        )
    return named, "named"


def _ran_by_file(
    diff: Diff, functions: Sequence[FunctionNames], ran: Iterable[FunctionLines], side: str, root: str
) -> dict[str, _ExecutedFile]:
    """Changed file -> the functions that ran at its lines, identified by normalised name and file."""
    paths = [p for f in diff.files if (p := f.before if side == "before" else f.after)]
    by_name: dict[str, list[tuple[int, str]]] = {}
    for i, names in enumerate(functions):
        name = names.before if side == "before" else names.after
        if name is not None:
            by_name.setdefault(name.name, []).append((i, name.file))
    at: dict[str, dict[int, set[int]]] = {}
    for item in ran:
        path = in_changed_file(item.file, paths, root)
        owners = by_name.get(normal_name(item.name), []) if path is not None else []
        home = short_file(item.home)
        for i in [i for i, file in owners if len(owners) == 1 or file == home]:
            for line in item.lines:
                at.setdefault(path or "", {}).setdefault(line, set()).add(i)
    return {
        path: _ExecutedFile({n: frozenset(who) for n, who in lines.items()}, tuple(sorted(lines)))
        for path, lines in at.items()
    }


def _members(functions: Sequence[FunctionNames], side: str, path: str, root: str) -> dict[str, frozenset[int]]:
    """The name in the source -> the functions of a file with that name."""
    out: dict[str, set[int]] = {}
    for i, names in enumerate(functions):
        name = names.before if side == "before" else names.after
        if name is not None and in_changed_file(name.file, [path], root) == path:
            out.setdefault(last_word(name.name), set()).add(i)
    return {word: frozenset(rows) for word, rows in out.items()}


def _hints(diff: Diff, functions: Sequence[FunctionNames], ran: ExecutedLines, root: str) -> list[tuple[int, str]]:
    """(position, path) of the functions of changed files whose lines are unknown."""
    known = {normal_name(item.name) for item in (*ran.before, *ran.after)}
    paths = [f.path for f in diff.files if f.hunks]
    out = []
    for i, names in enumerate(functions):
        name = names.after or names.before
        if name is not None and name.name not in known:
            path = in_changed_file(name.file, paths, root)
            if path is not None:
                out.append((i, path))
    return out


def _changed(path: str, hit: _Hit) -> ChangedLines:
    certainty: Certainty = "measured" if hit.seen else "likely"
    return ChangedLines(
        file=path,
        added=_spans(hit.added),
        removed=_spans(hit.removed),
        lines=len(hit.added) + len(hit.removed),
        certainty=certainty,
        why=_SEEN if hit.seen else _WITHIN if hit.within else _NAMED,
    )


def _spans(lines: Iterable[int]) -> tuple[Span, ...]:
    """Consecutive lines as (first, last), at most MAX_SPANS of them."""
    out: list[Span] = []
    for line in sorted(lines):
        if out and out[-1][1] == line - 1:
            out[-1] = out[-1][0], line
        else:
            out.append((line, line))
    return tuple(out[:MAX_SPANS])


def with_changed_lines(
    report: Report, contender: str, diff_text: str, ran: ExecutedLines = NO_LINES, root: str = ""
) -> Report:
    """The report with the changed lines of `contender` in its function rows. Its conclusions stay as they were.

    `diff_text` is `git diff BASELINE CONTENDER`, any number of context lines; `root` the target's folder in the
    repository. Raises CommitError if it is no diff. Without line data (`ran`) no certainty is above "likely".
    """
    diff = parse_diff(diff_text)
    baseline = report.study.baseline
    tables = []
    for table in report.hotspots:
        rows = [row for category in table.rows for row in category.functions]
        functions = [_names(row, baseline, contender) for row in rows]
        changes = {rows[i].id: lines for i, lines in changed_functions(diff, functions, ran, root).items()}
        tables.append(
            table.model_copy(
                update={
                    "rows": tuple(
                        category.model_copy(
                            update={"functions": tuple(_changed_row(r, contender, changes) for r in category.functions)}
                        )
                        for category in table.rows
                    )
                }
            )
        )
    return report.model_copy(update={"hotspots": tuple(tables)})


def _names(row: FunctionRow, baseline: str, contender: str) -> FunctionNames:
    """Its names at both commits; a row that another function was split from, or inlined into, keeps its own."""
    there = {v: (cell := row.cells.get(v)) is not None and bool(cell.self) for v in (baseline, contender)}
    found = row.alignment.get(contender)
    renamed = found is not None and there[baseline] and there[contender]
    before = found.before if renamed and found is not None else row.function
    return FunctionNames(before if there[baseline] else None, row.function if there[contender] else None)


def _changed_row(row: FunctionRow, contender: str, changes: Mapping[str, tuple[ChangedLines, ...]]) -> FunctionRow:
    lines = changes.get(row.id)
    return row if lines is None else row.model_copy(update={"changes": {**row.changes, contender: lines}})
