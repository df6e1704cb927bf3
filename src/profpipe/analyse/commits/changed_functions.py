"""Which functions a diff changed: its lines looked up where the profiler saw functions run, else by git's headings."""

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
_FILE = "its file changed; which of its lines is not known"


@dataclass(frozen=True, slots=True)
class Place:
    """A function to look for: its name and file on each side, None where it was not there."""

    before: FunctionName | None
    after: FunctionName | None


@dataclass(frozen=True, slots=True)
class SideLines:
    """What ran on each side, as the profilers wrote it; empty = not known."""

    before: tuple[FunctionLines, ...] = ()
    after: tuple[FunctionLines, ...] = ()


NO_LINES = SideLines()


@dataclass(slots=True)
class _Hit:
    """Changed lines of one function in one file, while they are gathered."""

    added: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    seen: bool = False
    within: bool = False


@dataclass(frozen=True, slots=True)
class _Ran:
    """One file on one side: which of the places ran at a line, and these lines in order."""

    at: Mapping[int, frozenset[int]]
    order: tuple[int, ...]

    def around(self, line: int) -> frozenset[int]:
        """The places that ran both at the next line before and at the next one after."""
        at = bisect(self.order, line)
        if not 0 < at < len(self.order):
            return frozenset()
        return self.at[self.order[at - 1]] & self.at[self.order[at]]


def in_changed_file(path: str, changed: Iterable[str], root: str = "") -> str | None:
    """The changed path that a profile's path means; None for none, for several, and for what is installed.

    `path` may be absolute in any checkout, relative to the repository or to `root` (the target's folder in it), or cut
    to its end; a path of the profile that is longer must end in the whole path of the repository.
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
    diff: Diff, places: Sequence[Place], ran: SideLines = NO_LINES, root: str = ""
) -> dict[int, tuple[ChangedLines, ...]]:
    """Position in `places` -> the changed lines that lie in it, most lines first. Certainty per file:

    - measured: a changed line ran in the function (its own line, or code inlined into it);
    - likely: changed lines lie between lines that ran in it, begin its definition, or git's heading names it;
    - hint: the file changed, and neither lines nor headings say where, for a function whose lines are not known.
    """
    found: dict[int, dict[str, _Hit]] = {}
    loose: dict[str, int] = {}
    known = {
        side: _ran_by_file(diff, places, lines, side, root)
        for side, lines in (("before", ran.before), ("after", ran.after))
    }
    for file in diff.files:
        members = {
            side: _members(places, side, path, root)
            for side, path in (("before", file.before), ("after", file.after))
            if path is not None
        }
        loose[file.path] = _file(file, members, known, found)
    out = {i: {path: _changed(path, hit) for path, hit in hits.items()} for i, hits in found.items()}
    for i, path in _hints(diff, places, ran, root):
        if loose.get(path) and i not in out:
            out[i] = {path: ChangedLines(file=path, lines=loose[path], certainty="hint", why=_FILE)}
    return {i: tuple(sorted(hits.values(), key=lambda c: (-c.lines, c.file))) for i, hits in out.items()}


def _file(
    file: ChangedFile,
    members: Mapping[str, Mapping[str, frozenset[int]]],
    known: Mapping[str, Mapping[str, _Ran]],
    found: dict[int, dict[str, _Hit]],
) -> int:
    """Give every changed line of a file to its functions; returns the number of lines without one."""
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
    line: Line, name: str, ran: _Ran | None, members: Mapping[str, frozenset[int]]
) -> tuple[frozenset[int], str]:
    """The functions a changed line lies in. A heading names what begins before the hunk, not what ends before it:

    a function whose lines are known is not taken by its name for a line after the last one of them.
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
    diff: Diff, places: Sequence[Place], ran: Iterable[FunctionLines], side: str, root: str
) -> dict[str, _Ran]:
    """Changed file -> who ran where in it. A function is known by its normalised name and the file it is in."""
    paths = [p for f in diff.files if (p := f.before if side == "before" else f.after)]
    by_name: dict[str, list[tuple[int, str]]] = {}
    for i, place in enumerate(places):
        name = place.before if side == "before" else place.after
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
        path: _Ran({n: frozenset(who) for n, who in lines.items()}, tuple(sorted(lines))) for path, lines in at.items()
    }


def _members(places: Sequence[Place], side: str, path: str, root: str) -> dict[str, frozenset[int]]:
    """What the source calls them -> the functions of a file."""
    out: dict[str, set[int]] = {}
    for i, place in enumerate(places):
        name = place.before if side == "before" else place.after
        if name is not None and in_changed_file(name.file, [path], root) == path:
            out.setdefault(last_word(name.name), set()).add(i)
    return {word: frozenset(rows) for word, rows in out.items()}


def _hints(diff: Diff, places: Sequence[Place], ran: SideLines, root: str) -> list[tuple[int, str]]:
    """Functions of changed files about whose lines nothing is known."""
    known = {normal_name(item.name) for item in (*ran.before, *ran.after)}
    paths = [f.path for f in diff.files if f.hunks]
    out = []
    for i, place in enumerate(places):
        name = place.after or place.before
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
    """Runs of lines without a hole, the first MAX_SPANS."""
    out: list[Span] = []
    for line in sorted(lines):
        if out and out[-1][1] == line - 1:
            out[-1] = out[-1][0], line
        else:
            out.append((line, line))
    return tuple(out[:MAX_SPANS])


def with_changed_lines(
    report: Report, contender: str, diff_text: str, ran: SideLines = NO_LINES, root: str = ""
) -> Report:
    """The report with the changed lines of `contender` in its function rows. Its conclusions stay as they were.

    `diff_text` is `git diff BASELINE CONTENDER`, any number of context lines; `root` the target's folder in the
    repository. Raises CommitError for what is no diff. Without line data (`ran`) nothing is more than likely.
    """
    diff = parse_diff(diff_text)
    baseline = report.study.baseline
    tables = []
    for table in report.hotspots:
        rows = [row for category in table.rows for row in category.functions]
        places = [_place(row, baseline, contender) for row in rows]
        changes = {rows[i].id: lines for i, lines in changed_functions(diff, places, ran, root).items()}
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


def _place(row: FunctionRow, baseline: str, contender: str) -> Place:
    """Its names on both sides; a row that another function was split from, or inlined into, keeps its own."""
    there = {v: (cell := row.cells.get(v)) is not None and bool(cell.self) for v in (baseline, contender)}
    found = row.alignment.get(contender)
    renamed = found is not None and there[baseline] and there[contender]
    before = found.before if renamed and found is not None else row.function
    return Place(before if there[baseline] else None, row.function if there[contender] else None)


def _changed_row(row: FunctionRow, contender: str, changes: Mapping[str, tuple[ChangedLines, ...]]) -> FunctionRow:
    lines = changes.get(row.id)
    return row if lines is None else row.model_copy(update={"changes": {**row.changes, contender: lines}})
