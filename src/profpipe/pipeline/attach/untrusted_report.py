"""A report.json of a run that is not trusted, such as a fork's: its numbers and names are taken, its prose is not."""

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

# A report of a whole study is under 1 MB; this is for many variants, not for anything.
MAX_REPORT = 8 * 2**20
MAX_VARIANTS = 64
NAME = 160
ORIGIN = (
    "Measured by the pull request's own workflow. Medians, verdicts, gate and conclusions were computed again on the "
    "trusted side from its rounds; functions, categories, commits and machine are as reported by the pull request"
)
NOT_TAKEN = "the reason is in the files of the run itself"


def _words(text: str) -> list[str]:
    return text.split()


# Text of the schema that is a name, an id, a unit or one of a few words; all other text is emptied. A test holds
# both lists against the schema.
NAMES = frozenset(
    _words("""
schema profpipe created id label role language verdict key unit instrument profiler better group commit
ref time baseline contender contenders name file object runtime raw metric category certainty kind rule
variant phase stopped machine study place path names categories callers callees variants target control
""")
)
PROSE = frozenset(
    _words("""
about subject command why total_why notes reason log_tail text question load placement value length
what post ours asked hits accepted undecided warnings environment title
""")
)
# Facts of the machine that are shown: short values only.
ENVIRONMENT = ("CPU", "processors", "virtual machine", "kernel", "Python", "valgrind", "perf")


def read_artifact(folder: Path, decide: Callable[[str], TargetBranch] = lambda _: TargetBranch()) -> Report:
    """report.json of a folder that was downloaded, reduced to numbers and names; all that follows is computed again.

    `decide` = id of the study -> what the target branch says of it. Raises ReportError: not there, no plain file, too
    large, not of the schema, not consistent.
    """
    path = folder / "report.json"
    data = _read(path)
    report = _checked(path, lambda: validated_report(data, strict=True))
    if contradiction(report) is not None:  # its text holds names of the file, which are not repeated
        raise ReportError(f"{path}: contradicts itself: nothing is posted")
    if len(report.variants) > MAX_VARIANTS:
        raise ReportError(f"{path}: {len(report.variants)} variants; at most {MAX_VARIANTS} are taken from an artifact")
    target = decide(report.study.id)
    return _checked(path, lambda: _concluded(_judged(_reduced(report), target)))


def _judged(report: Report, target: TargetBranch) -> Report:
    """The report with verdicts from its rounds and the gate of the target branch's rules."""
    from profpipe.analyse.judge_again import judge_again

    judged = judge_again(report, target.first_look, target.resolution)
    return judged.model_copy(update={"gate": gate_again(judged, target)})


def _read(path: Path) -> bytes:
    """The bytes of a plain file: a link, a pipe or a device is refused, and so is what grows while it is read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ReportError(f"{path}: cannot be read as a plain file: {error.strerror or error}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ReportError(f"{path}: is no plain file")
    with os.fdopen(handle, "rb") as file:
        data = file.read(MAX_REPORT + 1)
    if len(data) > MAX_REPORT:
        raise ReportError(f"{path}: is larger than {MAX_REPORT // 2**20} MiB; a report is under 1 MiB")
    return data


def _checked(path: Path, build: Callable[[], Report]) -> Report:
    """What `build` gives; whatever it stumbles over is the file's fault, and its text is not repeated."""
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
    # Its looks decide the level of a verdict; its words are not taken.
    sequential = document["study"]["sequential"] and {**document["study"]["sequential"], "rule": ""}
    slices = document["study"]["slices"] and {**document["study"]["slices"], **_NO_WORDS_OF_SLICES}
    reduced: dict[str, Any] = _take(document, "")
    reduced |= {"environment": environment, "conclusions": [], "limits": [], "reference": None, "seed_table": []}
    reduced["study"] |= {"left_out": left_out, "hypotheses": [], "sequential": sequential, "slices": slices}
    for invalid in reduced["invalid"]:
        invalid["reason"] = NOT_TAKEN
    for variant in reduced["variants"]:
        variant["why"] = None if variant["valid"] else NOT_TAKEN
    reduced["gate"] = None
    return Report.model_validate(reduced)


_NO_WORDS_OF_SLICES = {"length": "", "control": "", "rule": "", "stopped": "", "left_out": [], "lost": []}


def _take(value: Any, field: str) -> Any:
    """The same shape, text only where its field is a name."""
    if isinstance(value, str):
        return value[:NAME] if field in NAMES else ""
    if isinstance(value, list):
        return [] if field in PROSE else [_take(item, "" if isinstance(item, dict) else field) for item in value]
    if isinstance(value, dict):
        if field not in _TABLES:
            return {key: _take(item, key) for key, item in value.items()}
        return {key: _take(item, "" if isinstance(item, dict) else field) for key, item in value.items()}
    return value


# Their keys are no fields but metrics, variants or profilers.
_TABLES = frozenset(
    _words("""
figures against_baseline disturbance cells callers callees alignment changes total categorised
unmatched sd environment
""")
)


def _concluded(report: Report) -> Report:
    from profpipe.analyse.conclusions.conclude import conclude

    return report.model_copy(update={"conclusions": conclude(report)})
