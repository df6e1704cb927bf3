"""Takes out what a report must not reveal of its machine: folders of the user, values of a server's environment."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from profpipe.model.report import LeftOut
from profpipe.model.run import RunRecord
from profpipe.model.study import StudyRecord
from profpipe.study import Target

# A shorter value (a port, `1`, `info`) reveals nothing, and replacing it would break other words.
SECRET_MIN = 6


@dataclass(frozen=True, slots=True)
class Redactor:
    """(text, its replacement), the longest first: `names` are folders and programs, `secrets` are values."""

    names: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()

    def redact(self, text: str) -> str:
        """The text of a tool, a server or an error as a report may show it."""
        for value, name in self.secrets:
            text = text.replace(value, name)
        for path, name in self.names:
            # Only whole path parts: replacing /root must not change /rootfs.
            text = re.sub(rf"(?<![\w.-]){re.escape(path)}(?![\w-]|\.\w)", name.replace("\\", r"\\"), text)
        return text

    def redact_run(self, record: RunRecord) -> RunRecord:
        """The record with its texts redacted. Its command stays as executed, to repeat the run by hand."""
        return replace(
            record,
            reason=None if record.reason is None else self.redact(record.reason),
            log_tail=tuple(map(self.redact, record.log_tail)),
            warnings=tuple(map(self.redact, record.warnings)),
        )

    def redact_study(self, record: StudyRecord) -> StudyRecord:
        return replace(
            record,
            placement=self.redact(record.placement),
            left_out=tuple(LeftOut(target=each.target, reason=self.redact(each.reason)) for each in record.left_out),
            limits=tuple(each.model_copy(update={"text": self.redact(each.text)}) for each in record.limits),
        )


def redactor(roots: Iterable[Path], targets: Iterable[Target] = ()) -> Redactor:
    """The study's own folders become `.`, the home folder `~`, the interpreter `python`; {port} is no secret."""
    names: Mapping[str, str] = {
        **{str(path): "." for root in roots for path in (root, root.resolve())},
        sys.executable: "python",
        **({sys.prefix: "venv"} if sys.prefix != sys.base_prefix else {}),
        os.path.expanduser("~"): "~",  # noqa: PTH111 - Path.home() raises where there is no home
    }
    values = {v: f"${k}" for target in targets for k, v in target.env.items() if len(v) >= SECRET_MIN}
    return Redactor(_longest_first({k: v for k, v in names.items() if len(k) > 1}), _longest_first(values))


def _longest_first(names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(names.items(), key=lambda item: (-len(item[0]), item)))
