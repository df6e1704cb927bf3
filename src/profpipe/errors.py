"""Every failure profpipe reports on purpose. Each message says where, what was expected and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_REGRESSION = 3


class ProfpipeError(Exception):
    """A failure with a message for the user and an exit code; never a bug of ours."""

    exit_code = EXIT_ERROR


class ConfigError(ProfpipeError):
    """Mistakes in profpipe.toml, all of them at once, one `file:line:col: text` per line."""

    exit_code = EXIT_USAGE


class UsageError(ProfpipeError):
    """The command line asks for something that does not exist or does not go together."""

    exit_code = EXIT_USAGE


class ParseError(ProfpipeError):
    """A capture is not what its format promises.

    `line` counts from 1, None for binary formats; `offset` is a byte offset where the format has no lines.
    """

    def __init__(self, source: str | Path, text: str, *, line: int | None = None, offset: int | None = None) -> None:
        self.source, self.line, self.offset = str(source), line, offset
        place = f":{line}" if line is not None else (f" at byte {offset}" if offset is not None else "")
        super().__init__(f"{source}{place}: {text}")


class UnknownFormat(ParseError):
    """No reader recognises this file."""


class InvalidProfile(ProfpipeError):
    """A profile breaks a rule of the model: a bug in a parser, or a capture that contradicts itself."""


class ToolMissing(ProfpipeError):
    """A program or package that this step needs is not there; the message holds the install line."""


class PartFailed(ProfpipeError):
    """A part of another package raised while it was used; the message names the part and its package."""


class CaptureError(ProfpipeError):
    """A run failed. `phase` is a `model.run.Phase`; `text` is the message without it."""

    def __init__(self, phase: str, text: str, *, log_tail: tuple[str, ...] = ()) -> None:
        self.phase, self.text, self.log_tail = phase, text, log_tail
        super().__init__(f"{phase}: {text}")


class LoadError(ProfpipeError):
    """The load generator itself failed, or its output cannot be read."""


class SetUpFailed(LoadError):
    """A request that is sent before the load went wrong: no log-in, or nothing to take from its answer."""


class MachineBusy(ProfpipeError):
    """Another profpipe is measuring on this machine."""


class CommitError(ProfpipeError):
    """git, or the repository, cannot give what a comparison of commits needs."""


class StoreError(ProfpipeError):
    """A run folder or report cannot be written or read."""


class ReportError(ProfpipeError):
    """A report cannot be built from what was captured, or report.json is not one we can read."""


class Refused(ProfpipeError):
    """The source cannot answer this (for example a flame graph of a call graph); the message says why."""


class PublishError(ProfpipeError):
    """A report could not be attached where it was asked for; the message says what to do."""


def first_fault(error: ValidationError) -> str:
    """`place: reason` of the first fault that pydantic found; the reason alone when the whole file is at fault."""
    first = error.errors()[0]
    return ": ".join(part for part in (".".join(map(str, first["loc"])), first["msg"]) if part)
