"""The first lines of a comment, and its footer: what was found, for which commits, under which conditions."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import CommitInfo, Report, Verdict
from profpipe.render.comment.blocks import Block, paragraph
from profpipe.render.comment.changed_functions import has_changed
from profpipe.render.comment.escape_markdown import Md, code, md
from profpipe.render.content.conclusions import NO_VERDICT, conclusions
from profpipe.render.content.gate import gate_text
from profpipe.render.content.slices import LotteryRow, slices_text, starts_words
from profpipe.render.content.study import how_many_rounds
from profpipe.render.text import cut

CHANGES: tuple[Verdict, ...] = ("better", "worse")
# Facts of a machine that decide whether two reports may be compared; the rest is folded.
MACHINE = ("CPU", "processors", "virtual machine", "kernel", "Python", "commit")


@dataclass(frozen=True, slots=True)
class FirstLine:
    """`second` = the verdict in words, where a failed gate took the first line."""

    text: str
    certainty: str
    second: str = ""


def first_line(report: Report) -> FirstLine:
    """The gate's failure; else the verdict; else that there is none and, in a quiet report, what that means."""
    verdicts = conclusions(report).verdicts
    text = verdicts[0].text if verdicts else NO_VERDICT
    if report.gate is not None and report.gate.failed:
        hits = "; ".join(cut(hit, 300) for hit in report.gate.hits[:5]) or "see the figures"
        return FirstLine(f"Regression: {hits}", "measured", text if verdicts else "")
    if not verdicts and is_quiet(report):
        text = _no_difference(report)
    return FirstLine(text, verdicts[0].certainty if verdicts else "")


def _no_difference(report: Report) -> str:
    verdicts = {c.verdict for v in report.variants if v.role == "contender" for c in v.against_baseline.values()}
    if "no change" in verdicts:
        return "No relevant difference."
    return NO_VERDICT if not verdicts else "Undecided: these rounds show no difference, but cannot rule one out."


def is_quiet(report: Report) -> bool:
    """No figure of a valid contender is better or worse, no function is, no gate failed: nothing to act on.

    "Cannot tell" is quiet too: the first line says so.
    """
    if report.gate is not None and report.gate.failed:
        return False
    contenders = [v for v in report.variants if v.role == "contender"]
    if not contenders or not all(v.valid for v in report.variants):
        return False
    if any(c.verdict in CHANGES for v in contenders for c in v.against_baseline.values()):
        return False
    return not has_changed(report)


def headline(report: Report) -> list[Block]:
    first = first_line(report)
    return [paragraph("**{}**{}", first.text, Md(f" ({first.certainty})" if first.certainty else ""))]


def verdict(report: Report) -> list[Block]:
    second = first_line(report).second
    accepted = report.gate.accepted if report.gate is not None else ()
    commits = [(v.label, v.commit) for v in report.variants if v.commit is not None and v.role != "control"]
    return [
        *headline(report),
        *([paragraph("{}", second)] if second else []),
        *(paragraph("Accepted regression: {}.", cut(text, 400)) for text in accepted),
        *(Block(_commit(label, commit)) for label, commit in commits),
    ]


def _commit(label: str, info: CommitInfo) -> Md:
    dirty = " with uncommitted changes" if info.dirty else ""
    parts = [info.commit[:12] + dirty, cut(info.ref, 120), cut(info.subject, 120)]
    return md("{}: {}", cut(label, 80), Md(" ".join(code(part) for part in parts if part)))


def footer(report: Report, link: str, origin: str) -> list[Block]:
    """`link` = where the page is, as a URL that Markdown holds; `origin` = a sentence of ours about who measured."""
    where = Md(f"[Full report]({link})" if link else "The full report is `report.html` in this run")
    facts = [(key, cut(report.environment[key], 120)) for key in MACHINE if key in report.environment]
    machine = Md(", ".join(md("{} {}", key, code(value)) for key, value in facts))
    return [
        paragraph(
            "{}. {}{}. profpipe {}{}",
            where,
            _conditions(report),
            md(". Machine: {}", machine) if machine else "",
            report.profpipe,
            md(". {}", origin) if origin else "",
        )
    ]


def _conditions(report: Report) -> str:
    many = how_many_rounds(report)
    rounds = many if many == "1 round" else f"{many}, each in fresh processes"
    lost, slices = len(report.invalid), report.study.slices
    starts = "" if slices is None else f"CPU time over {starts_words(slices)}"
    parts = [starts, rounds, cut(report.study.load, 160), cut(report.study.placement, 120)]
    parts.append(f"{lost} invalid {'run' if lost == 1 else 'runs'} left out" if lost else "")
    return "; ".join(part for part in parts if part)


def trust(report: Report) -> list[str]:
    """How far these figures can be trusted: added rounds, earlier A/A comparisons, the gate."""
    found = []
    slices = slices_text(report)
    if slices is not None:
        found += [f"{what}: {text}" for what, text in slices.facts]
        found += [_lottery(row) for row in slices.lotteries]
        found += [f"Lost start: {lost.variant} ({lost.where}): {lost.reason}" for lost in slices.lost[:5]]
    steps = report.study.sequential
    if steps is not None:
        looks = ", ".join(str(look) for look in steps.looks)
        checked = f"until the verdicts were stable (checked after {looks})" if looks else "until the time was used up"
        found.append(f"Rounds were added {checked}: {cut(steps.rule, 600)}")
    past = report.calibration
    if past is not None:
        found.append(
            f"{past.false_verdicts} of {past.comparisons} A/A comparisons on {cut(past.machine, 120)} gave a "
            f"false verdict (95 % interval {units.percent(past.low)} to {units.percent(past.high)})."
        )
    gate = gate_text(report)
    if gate is not None:
        found.append(f"{gate.word} (fails on: {gate.asked}).")
    return found


def _lottery(row: LotteryRow) -> str:
    parts = (
        f"CPU time from start to start {row.range or 'the same'} (between starts {row.between}, within {row.within})"
    )
    return f"{row.label}: {parts}; idle CPU {row.idle}"
