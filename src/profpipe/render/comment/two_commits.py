"""The first screen of a pull request's comment: what it changes, where, how sure; at most twelve lines on a phone."""

from __future__ import annotations

from collections.abc import Sequence

from profpipe.model.report import CommitInfo, Report, Variant
from profpipe.render.comment.blocks import Block, drawing, paragraph
from profpipe.render.comment.escape_markdown import Md, code, md, prose
from profpipe.render.comment.figures import summary
from profpipe.render.comment.links import Links
from profpipe.render.content.bars import bars
from profpipe.render.content.change import (
    Change,
    also,
    bar_rows,
    change,
    changed_packages,
    request_of,
    short,
    two_commits,
)
from profpipe.render.content.conclusions import NO_VERDICT
from profpipe.render.content.gate import gate_text
from profpipe.render.content.headline import headline_figure
from profpipe.render.content.roles import BASE, HEAD
from profpipe.render.content.study import how_many_rounds
from profpipe.render.text import cut, detectable_words

SUBJECT = "This pull request"
# With label and amount a line of some 38 characters, what a phone shows without scrolling.
BAR = 18
# Characters of a subject line; the forge shows all of it behind the link.
SUBJECT_LINE = 60
# Packages of a bump that are named.
PACKAGES = 6


def first_sentence(report: Report) -> str:
    """The first line as plain text, for a status."""
    found = change(report, SUBJECT)
    if found is not None:
        return short(found, report)
    gate = gate_text(report)
    return f"The gate fails: {'; '.join(gate.hits)}" if gate is not None and gate.failed else _nothing(report)


def first_screen(report: Report, links: Links) -> list[Block]:
    """The sentence, two bars, what else changed, the gate's answer, and the commits."""
    found = change(report, SUBJECT)
    said = [Block(_marked(found, links)), *_drawn(found)] if found is not None else _without_change(report)
    besides = " ".join(also(report))
    return [*said, *([paragraph("{}", besides)] if besides else []), *_gate(report), commits(report, links)]


def _without_change(report: Report) -> list[Block]:
    """That nothing is known to have changed, unless the gate says what did."""
    failed = report.gate is not None and report.gate.failed
    return [] if failed else [paragraph("**{}**", _nothing(report))]


def quiet(report: Report) -> list[Block]:
    """Nothing is better or worse: that, and the figures in one line."""
    return [
        paragraph("**{}**", _nothing(report)),
        paragraph("{}", summary(report) or "No figure could be compared."),
        *(_asked(text) for text in _accepted(report)),
    ]


def _nothing(report: Report) -> str:
    figure, pair = headline_figure(report), two_commits(report)
    comparison = figure.against.get(pair[1].id) if figure is not None and pair is not None else None
    costs = f"what {request_of(report) or 'a request'} costs"
    bad = next((v for v in pair or () if not v.valid), None)
    if bad is not None:
        return f"Not measured: {bad.label} is not valid{f', {bad.why}' if bad.why else ''}."
    if figure is None or comparison is None:
        return NO_VERDICT
    if comparison.verdict == "no change":
        size = detectable_words(comparison, figure.resolution)
        return f"{SUBJECT} does not change {costs}{f': {size}' if size else ''}."
    return f"Undecided: whether {SUBJECT.lower()} changes {costs}: {comparison.why or 'no reason is known'}."


def _marked(found: Change, links: Links) -> Md:
    commit = found.contender.commit
    # Uncommitted changes are on no page of a forge.
    sha = commit.commit if commit is not None and not commit.dirty else ""
    out = []
    for kind, text in found.sentence:
        match kind:
            case "size":
                out.append(md("**{}**", text))
            case "code":
                out.append(code(text))
            case "place":
                out.append(links.place(sha, found.path, found.line, text))
            case _:
                out.append(_inner(text))
    return Md("".join(out))


def _inner(text: str) -> Md:
    """Our own words within a line: what a forge would take for more is escaped, blanks at the ends stay."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    return Md(text[:start] + prose(text[start:end]) + text[end:]) if text.strip() else Md(text)


def _drawn(found: Change) -> list[Block]:
    rows = bar_rows(found, BASE, HEAD)
    return [drawing(f"{found.figure.full_name}\n{bars(rows, BAR)}")] if rows else []


def _gate(report: Report) -> list[Block]:
    gate = gate_text(report)
    if gate is None:
        return []
    if gate.failed:
        hits = "; ".join((*(cut(hit, 200) for hit in gate.hits), *([gate.more] if gate.more else [])))
        lines = [paragraph("**The gate fails** (asked: {}): {}.", gate.asked, hits or "see the figures")]
    else:
        lines = [paragraph("The gate passes (asked: {}).", gate.asked)]
    return [*lines, *(_asked(text) for text in _accepted(report))]


def _accepted(report: Report) -> Sequence[str]:
    return report.gate.accepted[:3] if report.gate is not None else ()


def _asked(text: str) -> Block:
    return paragraph("Accepted regression: {}.", cut(text, 400))


def commits(report: Report, links: Links) -> Block:
    """Both commits, each hash once; of one commit with other packages what they were."""
    base, head = _pair(report)
    if base.commit is not None and head.commit is not None and base.commit.commit == head.commit.commit:
        words = [each.words for each in changed_packages(report, head)]
        shown = ", ".join([*words[:PACKAGES], *([f"{len(words) - PACKAGES} more"] if len(words) > PACKAGES else [])])
        return Block(md("Measured {}{}.", _commit(head, links), f": {shown}" if shown else ""))
    return Block(Md(f"Measured {_commit(head, links)} against {_commit(base, links)}."))


def _commit(variant: Variant, links: Links) -> Md:
    info = variant.commit or CommitInfo(commit="")
    dirty = " with uncommitted changes" if info.dirty else ""
    where = info.ref if variant.role == "baseline" and "merge-base" in info.ref else ""
    parts = [links.commit(info.commit), md("{}", dirty) if dirty else Md()]
    parts += [md(" ({})", code(cut(where, 60)))] if where else []
    parts += [md(" {}", code(cut(info.subject, SUBJECT_LINE)))] if info.subject else []
    return Md("".join(parts))


def _pair(report: Report) -> tuple[Variant, Variant]:
    pair = two_commits(report)
    assert pair is not None
    return pair


def commits_and(rest: Sequence[Block], report: Report, links: Links) -> list[Block]:
    """The commits and what follows as one paragraph."""
    return [Block(Md(" ".join(block.text for block in (commits(report, links), *rest))))]


def short_footer(report: Report, links: Links, origin: str) -> list[Block]:
    """Where the whole report is, and how much was measured."""
    where = Md(f"[Full report]({links.report})" if links.report else "The full report is `report.html` in this run")
    slices = report.study.slices
    parts = [] if slices is None else ["1 start" if slices.starts == 1 else f"{slices.starts} starts"]
    parts.append(how_many_rounds(report))
    lost = len(report.invalid)
    parts += [f"{lost} invalid {'run' if lost == 1 else 'runs'} left out"] if lost else []
    tail = md(" {}.", origin) if origin else ""
    return [paragraph("{}. {}; profpipe {}.{}", where, "; ".join(parts), report.profpipe, tail)]
