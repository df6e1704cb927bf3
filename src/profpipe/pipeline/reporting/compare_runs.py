"""Compares run folders: variants that were measured in different studies, at different times or on other machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from profpipe import __version__, store
from profpipe.errors import Refused, UsageError
from profpipe.model.report import Limit, Report
from profpipe.model.run import RunRecord
from profpipe.model.study import StudyRecord, VariantFacts
from profpipe.pipeline.reporting.compare_starts import NOT_ALL, joined_starts
from profpipe.pipeline.reporting.stored_runs import load_runs
from profpipe.units import Instrument

# Timed figures are compared only when these facts of the machines are equal.
MACHINE = ("CPU", "processors", "virtual machine", "kernel")
# When these differ, so do the counted instructions of one program: libc chooses other code, the simulator changes.
SAME_COUNT = ("CPU", "libc", "valgrind")
TIMED: frozenset[Instrument] = frozenset({"clean", "sampled"})
# Facts of a profiler that change with every run and are not options of it.
PASSING = ("ready after", "instructions in the window", "environment", "lost samples", "samples")


@dataclass(frozen=True, slots=True)
class FolderSide:
    """One side of a comparison: a variant of a run folder, with its name in this comparison."""

    label: str
    folder: Path
    study: StudyRecord
    variant: VariantFacts


def side(text: str, reports: Path, label: str | None = None) -> FolderSide:
    """FOLDER, STUDY, FOLDER:VARIANT or STUDY:VARIANT. Raises UsageError when the variant is ambiguous."""
    name, _, variant = text.rpartition(":") if _is_folder(text.rpartition(":")[0], reports) else (text, "", "")
    folder = store.find_study_folder(reports, name)
    study = store.read_study(folder)
    known = {v.id: v for v in study.variants}
    if variant and variant not in known:
        raise UsageError(f"{name} has no variant {variant}; it has: {', '.join(known)}")
    if not variant and len(known) > 1:
        raise UsageError(f"{name} has {len(known)} variants; name one of: {', '.join(f'{name}:{v}' for v in known)}")
    chosen = known[variant] if variant else next(iter(known.values()))
    return FolderSide(label or text, folder, study, chosen)


def is_folder(text: str, reports: Path) -> bool:
    """True if an argument of `profpipe compare` names measured runs, not a capture file."""
    return _is_folder(text, reports) or _is_folder(text.rpartition(":")[0], reports)


def _is_folder(text: str, reports: Path) -> bool:
    if not text or Path(text).is_file():
        return False
    return (Path(text) / store.STUDY_FILE).is_file() or any((reports / text).glob(f"*/{store.STUDY_FILE}"))


def compare_folders(sides: Sequence[FolderSide]) -> Report:
    """The report of runs that were not measured together; the first side is the baseline.

    An instrument is compared when both sides have it with the same options; a timed one only on one machine. The
    limits of the report name what is left out. Raises UsageError for equal labels, Refused when nothing is left.
    """
    from profpipe.analyse import RunData, StudyData, build_report

    base, *others = sides
    labels = [s.label for s in sides]
    if len(set(labels)) != len(labels):
        raise UsageError(f"two sides have the same name ({', '.join(labels)}); give them different names with --label")
    loaded = {s.label: load_runs(s.folder, needed=s.study.slices is None) for s in sides}
    refused = _refused(sides, {label: [r for r, _ in runs] for label, runs in loaded.items()})
    kinds = {n: k for n, k in base.study.kinds.items() if all(n in s.study.kinds for s in others) and n not in refused}
    if not kinds:
        why = "; ".join(f"{name}: {text}" for name, text in refused.items()) or "they have no instrument in common"
        raise Refused(f"{' and '.join(labels)} cannot be compared: {why}")
    runs = [
        RunData(replace(record, variant=s.label, command=s.variant.command), profiles)
        for s in sides
        for record, profiles in loaded[s.label]
        if record.variant == s.variant.id and record.profiler in kinds and (s is base or not record.control)
    ]
    record = _record(sides, kinds, _limits(sides, refused, kinds))
    slices, starts = joined_starts([(s.label, s.folder, s.study, s.variant.id) for s in sides])
    record = replace(record, slices=slices if "clean" in kinds else None)
    return build_report(StudyData(record=record, runs=tuple(runs), starts=starts if "clean" in kinds else ()))


def _record(sides: Sequence[FolderSide], kinds: Mapping[str, Instrument], limits: Sequence[Limit]) -> StudyRecord:
    """The baseline's study, with a variant per side."""
    base = sides[0].study
    labels = [s.label for s in sides]
    return replace(
        base,
        study="compare",
        question=f"What did {', '.join(labels[1:])} cost, compared with {labels[0]}?",
        baseline=labels[0],
        variants=tuple(replace(s.variant, id=s.label, label=s.label) for s in sides),
        rounds=min(s.study.rounds for s in sides),
        command="profpipe compare " + " ".join(labels),
        created=max(side.study.created for side in sides),  # the same runs give the same bytes
        profpipe=__version__,
        kinds=kinds,
        environment=_environment(sides),
        left_out=(),
        limits=tuple(limits),
        planned_runs=0,
        hypotheses=(),
        reference="",
        name_style="",
        commits={s.label: info for s in sides if (info := s.study.commits.get(s.variant.id))},
        sequential=None,
        gate=(),
        accepted=(),
    )


def _refused(sides: Sequence[FolderSide], records: Mapping[str, Sequence[RunRecord]]) -> dict[str, str]:
    """Instrument -> why it is not compared."""
    base = sides[0]
    out: dict[str, str] = {}
    for other in sides[1:]:
        machine = _differs(base.study.environment, other.study.environment, MACHINE)
        for name, kind in base.study.kinds.items():
            if kind in TIMED and machine:
                out[name] = f"not compared: measured on different machines ({machine})"
            elif options := _options(base, other, records, name):
                out[name] = f"not compared: measured with different options ({options})"
    return out


def _options(base: FolderSide, other: FolderSide, records: Mapping[str, Sequence[RunRecord]], name: str) -> str:
    """The differences between the profiler's facts of two sides: version, options, sampling rate."""
    a, b = (_facts(records[s.label], s.variant.id, name) for s in (base, other))
    if a is None or b is None:
        return ""
    return _differs(a, b, tuple(sorted(a.keys() | b.keys())))


def _facts(records: Sequence[RunRecord], variant: str, profiler: str) -> Mapping[str, str] | None:
    found = next((r for r in records if r.variant == variant and r.profiler == profiler and r.valid), None)
    return None if found is None else {k: v for k, v in found.profiler_facts.items() if k not in PASSING}


def _differs(a: Mapping[str, str], b: Mapping[str, str], keys: Sequence[str]) -> str:
    return ", ".join(
        f"{key}: {a.get(key, 'unknown')} and {b.get(key, 'unknown')}" for key in keys if a.get(key) != b.get(key)
    )


def _limits(sides: Sequence[FolderSide], refused: Mapping[str, str], kinds: Mapping[str, Instrument]) -> list[Limit]:
    base = sides[0]
    out = [Limit(profiler=name, text=text) for name, text in refused.items()]
    apart = "measured one after the other, not in turns: a drift of the machine would look like a difference"
    out += [Limit(profiler=name, text=apart) for name, kind in kinds.items() if kind in TIMED]
    sliced = [s.study.slices is not None for s in sides]
    if "clean" in kinds and any(sliced) and not all(sliced):
        out.append(Limit(profiler="clean", text=NOT_ALL))
    for other in sides[1:]:
        if other.study.load != base.study.load:
            text = f"different loads: {other.study.load}; {base.label} had {base.study.load}"
            out += [Limit(profiler=name, text=text, variants=(other.label,)) for name in kinds]
        count = _differs(base.study.environment, other.study.environment, SAME_COUNT)
        counted = [name for name, kind in kinds.items() if kind == "counted" and count]
        text = f"counts depend on {count}"
        out += [Limit(profiler=name, text=text, variants=(other.label,)) for name in counted]
    return out


def _environment(sides: Sequence[FolderSide]) -> dict[str, str]:
    """The facts of the baseline; where another side differs, both values."""
    out = dict(sides[0].study.environment)
    for other in sides[1:]:
        for key, value in other.study.environment.items():
            if out.get(key, value) != value and key != "load average":
                out[key] = f"{out[key]} | {other.label}: {value}"
    return out
