"""What a report must not show of the machine it was made on: folders of its user, credentials of its servers."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from profpipe.characters import well_formed
from profpipe.credentials import hide, hide_words, secret_fields, secret_values, secret_words
from profpipe.model.report import LeftOut
from profpipe.model.run import RunRecord
from profpipe.model.start import Start
from profpipe.model.study import StudyRecord
from profpipe.model.texts import with_texts
from profpipe.model.trial import TrialRecord
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.study import Target

# A shorter value (a port, `1`, `info`) reveals nothing, and replacing it would break other words.
SECRET_MIN = 6
# Fields that find files: `checkout` is compared with paths of profiles, captures are opened by theirs.
PATHS = frozenset({"captures", "checkout"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Redactor:
    """(text, what is shown for it), the longest first: `names` are folders and programs, `secrets` values.

    `credentials` = values that no record may hold, wherever they are in it.
    """

    names: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    credentials: tuple[str, ...] = ()

    def redact(self, text: str) -> str:
        """The text of a tool, a server or an error as a report may show it."""
        for value, name in self.secrets:
            text = text.replace(value, name)
        for path, name in self.names:
            # Only whole path parts: replacing /root must not change /rootfs.
            text = re.sub(rf"(?<![\w.-]){re.escape(path)}(?![\w-]|\.\w)", name.replace("\\", r"\\"), text)
        return hide(text, self.credentials)

    def redact_run(self, record: RunRecord) -> RunRecord:
        """The record without them. Its command keeps its paths: run.json is for making a run again by hand."""
        named = replace(
            record,
            reason=None if record.reason is None else self.redact(record.reason),
            log_tail=tuple(map(self.redact, record.log_tail)),
            warnings=tuple(map(self.redact, record.warnings)),
        )
        # Only now: the name of the variable that holds a value says more than that a credential was hidden.
        return self._without_credentials(named)

    def redact_start(self, start: Start) -> Start:
        lost = start.lost
        if lost is not None:
            tail = tuple(map(self.redact, lost.log_tail))
            lost = replace(lost, reason=self.redact(lost.reason), log_tail=tail)
        return replace(start, lost=lost, warnings=tuple(map(self.redact, start.warnings)))

    def redact_study(self, record: StudyRecord) -> StudyRecord:
        named = replace(
            record,
            checkout=well_formed(record.checkout),
            placement=self.redact(record.placement),
            left_out=tuple(LeftOut(target=each.target, reason=self.redact(each.reason)) for each in record.left_out),
            limits=tuple(each.model_copy(update={"text": self.redact(each.text)}) for each in record.limits),
            trial=record.trial and self._redact_trial(record.trial),
        )
        return self._without_credentials(named)

    def _redact_trial(self, trial: TrialRecord) -> TrialRecord:
        rows = (row.model_copy(update={"reason": row.reason and self.redact(row.reason)}) for row in trial.rows)
        return trial.model_copy(update={"rows": tuple(rows)})

    def _without_credentials(self, record: T) -> T:
        return with_texts(
            record,
            lambda text: hide(well_formed(text), self.credentials),
            lambda words: hide_words(tuple(map(well_formed, words)), self.credentials),
            without=PATHS,
        )


def credentials_of(study: PreparedStudy) -> tuple[str, ...]:
    """The secret values of a study: of commands and environments, of what services give, of headers."""
    found = {
        v for target in study.targets.values() for v in (*secret_values(target.env), *secret_words(target.command))
    }
    services = study.study.used_services.values()
    found |= {v for each in services for v in (*secret_values(each.env), *secret_values(each.provides))}
    for request in study.requests:
        found |= {*secret_values(request.headers), *secret_fields(request.body)}
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def redactor(roots: Iterable[Path], targets: Iterable[Target] = (), credentials: tuple[str, ...] = ()) -> Redactor:
    """The study's own folders become `.`, the home folder `~`, the interpreter `python`; {port} is no secret."""
    names: Mapping[str, str] = {
        **{str(path): "." for root in roots for path in (root, root.resolve())},
        sys.executable: "python",
        **({sys.prefix: "venv"} if sys.prefix != sys.base_prefix else {}),
        os.path.expanduser("~"): "~",  # noqa: PTH111 - Path.home() raises where there is no home
    }
    values = {v: f"${k}" for target in targets for k, v in target.env.items() if len(v) >= SECRET_MIN}
    plain = _longest_first({k: v for k, v in names.items() if len(k) > 1})
    return Redactor(plain, _longest_first(values), credentials)


def _longest_first(names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(names.items(), key=lambda item: (-len(item[0]), item)))
