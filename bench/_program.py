"""A benchmark as a program: stopped by any signal as by Ctrl-C, so that it leaves no server and no temporary folder."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

from profpipe.errors import ProfpipeError

STOPPED = 130


def run(main: Callable[[Sequence[str]], int]) -> NoReturn:
    """Call `main` with the arguments of the command line and exit with what it returns."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _stop)
    try:
        sys.exit(main(sys.argv[1:]))
    except ProfpipeError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(STOPPED)


def _stop(number: int, _frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    raise KeyboardInterrupt
