"""Reads report.json of an untrusted run, such as that of a fork: keeps numbers and names, drops all prose."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from profpipe.errors import ReportError
from profpipe.model.consistency import contradiction
from profpipe.model.report import Report
from profpipe.model.upgrade import validated_report
from profpipe.pipeline.attach.target_branch import TargetBranch, gate_again

# A report of a whole study is under 1 MB; the limit leaves room for many variants.
MAX_REPORT = 8 * 2**20
MAX_VARIANTS = 64
NAME = 160
ORIGIN = (
    "Measured by the pull request's own workflow. Medians, verdicts, gate and conclusions were computed again on the "
    "trusted side from its rounds; functions, categories, commits and machine are as reported by the pull request"
)
NOT_TAKEN = "the run's own files hold the reason"


def _words(text: str) -> list[str]:
    return text.split()


# Fields that hold a name, an id, a unit or one of a few words; all other text is emptied. A test checks both lists
# against the schema.
NAMES = frozenset(
    _words("""
schema profpipe created id label role language verdict key unit instrument profiler better group commit
ref time baseline contender contenders name file object runtime raw metric category certainty kind rule
variant phase stopped machine study request place path names categories callers callees variants target control
before after prefixes origin habit library status route
""")
)
PROSE = frozenset(
    _words("""
about subject command why total_why notes reason log_tail text question load placement value length
what post ours asked hits accepted undecided warnings environment title words
""")
)
# Facts of the machine that are shown: short values only.
ENVIRONMENT = ("CPU", "processors", "virtual machine", "kernel", "Python", "valgrind", "perf")


def read_artifact(folder: Path, decide: Callable[[str], TargetBranch] = lambda _: TargetBranch()) -> Report:
    """Read report.json of a downloaded folder, keep its numbers and names, and compute everything else again.

    `decide` = id of the study -> the settings of the target branch. Raises ReportError when the file is missing, not a
    plain file, too large, not of the schema, or inconsistent.
    """
    path = folder / "report.json"
    data = _read(path)
    report = _checked(path, lambda: validated_report(data, strict=True))
    if contradiction(report) is not None:  # its text quotes names from the file, so it is not shown
        raise ReportError(f"{path}: contradicts itself: nothing is posted")
    if len(report.variants) > MAX_VARIANTS:
        raise ReportError(f"{path}: {len(report.variants)} variants; at most {MAX_VARIANTS} are taken from an artifact")
    target = decide(report.study.id)
    return _checked(path, lambda: _concluded(_judged(_reduced(report), target)))


def _judged(report: Report, target: TargetBranch) -> Report:
    """The report with verdicts computed from its rounds, and gated by the rules of the target branch."""
    from profpipe.analyse.judge_again import judge_again

    judged = judge_again(report, target.first_look, target.resolution)
    return judged.model_copy(update={"gate": gate_again(judged, target)})


def _read(path: Path) -> bytes:
    """Read a plain file. Links, pipes and devices are refused, and so is a file that is too large."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ReportError(f"{path}: cannot be read as a plain file: {error.strerror or error}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ReportError(f"{path}: is not a plain file")
    with os.fdopen(handle, "rb") as file:
        data = file.read(MAX_REPORT + 1)
    if len(data) > MAX_REPORT:
        raise ReportError(f"{path}: is larger than {MAX_REPORT // 2**20} MiB; a report is under 1 MiB")
    return data


def _checked(path: Path, build: Callable[[], Report]) -> Report:
    """The result of `build`. Any error in it is blamed on the file, and text from the file is not shown."""
    from pydantic import ValidationError

    try:
        return build()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) if isinstance(part, int) else _word(part) for part in first["loc"])
        place = f"{where}: " if where else ""
        raise ReportError(f"{path}: {place}{first['type']}; a report.json of this version was expected") from None
    except ReportError as error:
        raise ReportError(f"{path}: contradicts itself: {error}") from None
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ReportError(f"{path}: contradicts itself ({type(error).__name__}): nothing is posted") from None


def _word(text: str) -> str:
    return text if len(text) <= 40 and text.replace("_", "").isalnum() and text.isascii() else "..."


def _reduced(report: Report) -> Report:
    document = report.model_dump(mode="json", by_alias=True)
    environment = {key: document["environment"][key][:80] for key in ENVIRONMENT if key in document["environment"]}
    left_out = [{"target": each["target"][:NAME], "reason": NOT_TAKEN} for each in document["study"]["left_out"]]
    # The looks decide the significance level and are kept; the wording is dropped.
    sequential = document["study"]["sequential"] and {**document["study"]["sequential"], "rule": ""}
    slices = document["study"]["slices"] and {**document["study"]["slices"], **_NO_WORDS_OF_SLICES}
    reduced: dict[str, Any] = _take(document, "")
    reduced |= {"environment": environment, "conclusions": [], "limits": [], "reference": None, "seed_table": []}
    reduced["study"] |= {"left_out": left_out, "hypotheses": [], "sequential": sequential, "slices": slices}
    for invalid in reduced["invalid"]:
        invalid["reason"] = NOT_TAKEN
    for variant in reduced["variants"]:
        variant["why"] = None if variant["valid"] else NOT_TAKEN
    # The comment does not show routes and services, so that nothing of theirs is computed again.
    # Which packages differ cannot be computed from figures, and one that is named would be blamed for all of them.
    reduced |= {"gate": None, "dependencies": [], "routes": None, "services": []}
    return Report.model_validate(reduced)


_NO_WORDS_OF_SLICES = {"length": "", "control": "", "rule": "", "stopped": "", "left_out": [], "lost": [], "routes": []}


def _take(value: Any, field: str) -> Any:
    """The same structure, with text only in fields that hold names."""
    if isinstance(value, str):
        return value[:NAME] if field in NAMES else ""
    if isinstance(value, list):
        return [] if field in PROSE else [_take(item, "" if isinstance(item, dict) else field) for item in value]
    if isinstance(value, dict):
        if field not in _TABLES:
            return {key: _take(item, key) for key, item in value.items()}
        return {key: _take(item, "" if isinstance(item, dict) else field) for key, item in value.items()}
    return value


# The keys of these tables are metrics, variants or profilers, not fields.
_TABLES = frozenset(
    _words("""
figures against_baseline disturbance cells callers callees alignment changes total categorised
unmatched sd environment
""")
)


def _concluded(report: Report) -> Report:
    from profpipe.analyse.conclusions.conclude import conclude

    return report.model_copy(update={"conclusions": conclude(report)})
