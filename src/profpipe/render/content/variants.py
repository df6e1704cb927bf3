"""Who was measured: every variant with its label, its colour and the commit it was built from."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.model.report import CommitInfo, Report, Variant
from profpipe.render.text import cut

# Characters of a hash that readers compare by eye; git's own default.
SHORT = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitText:
    """`ref` is empty where it says no more than the hash; `dirty` is empty or says what else was measured."""

    short: str
    full: str
    ref: str
    subject: str
    time: str
    dirty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantHead:
    """`hue` is the variant's place among the variants: its colour, always shown next to its label."""

    id: str
    label: str
    role: str
    hue: int
    language: str
    valid: bool
    why: str
    command: str
    notes: tuple[str, ...]
    commit: CommitText | None


def heads(report: Report, *, control: bool = True) -> tuple[VariantHead, ...]:
    """Every variant in the order of the report; hue 0 is the baseline's and its control's."""
    found, next_hue = [], 1
    for variant in report.variants:
        own = variant.role != "contender"
        if variant.role != "control" or control:
            found.append(_head(variant, 0 if own else next_hue))
        next_hue += 0 if own else 1
    return tuple(found)


def _head(variant: Variant, hue: int) -> VariantHead:
    return VariantHead(
        id=variant.id,
        label=variant.label,
        role=variant.role,
        hue=hue,
        language=variant.language,
        valid=variant.valid,
        why=variant.why or "",
        command=cut(" ".join(variant.command), 2000),
        notes=variant.notes,
        commit=commit_text(variant.commit),
    )


def commit_text(commit: CommitInfo | None) -> CommitText | None:
    """None where the variant is no commit."""
    if commit is None:
        return None
    full = cut(commit.commit, 80)
    ref = cut(commit.ref, 120)
    return CommitText(
        short=full[:SHORT],
        full=full,
        ref="" if ref in (full, full[:SHORT]) else ref,
        subject=cut(commit.subject, 160),
        time=commit.time.replace("T", " ")[:16],
        dirty="with uncommitted changes" if commit.dirty else "",
    )


def labels(report: Report) -> dict[str, str]:
    """Variant -> label."""
    return {variant.id: variant.label for variant in report.variants}
