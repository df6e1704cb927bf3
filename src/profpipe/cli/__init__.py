"""The command line: options in, the pipeline called, text out. Results go to stdout, everything else to stderr."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click
from click.exceptions import Exit

from profpipe import __version__
from profpipe.cli.accept import accept
from profpipe.cli.attach import attach
from profpipe.cli.bisect import bisect, bisect_step
from profpipe.cli.calibrate import calibrate
from profpipe.cli.captures import compare, export, parse
from profpipe.cli.clean import clean
from profpipe.cli.diff import diff
from profpipe.cli.history import history, merge
from profpipe.cli.load import load
from profpipe.cli.program import Program
from profpipe.cli.run import report, run
from profpipe.cli.say import accept_any_text, plain, say
from profpipe.cli.setup import check, doctor, init, list_
from profpipe.errors import EXIT_ERROR, ConfigError, ProfpipeError

EPILOG = "Start with `profpipe doctor`, then `profpipe init` in your server's folder, then `profpipe run`."


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "PROFPIPE"},
    epilog=EPILOG,
)
@click.version_option(__version__, message="profpipe %(version)s")
def cli() -> None:
    """Why is this server slower than that one?

    profpipe runs each server variant under a profiler while a load generator sends requests, and writes one HTML page:
    the cost per request of every function and category, side by side, with error bars and conclusions in words.
    """


MEASURE = (run, report, diff, bisect, bisect_step, calibrate, clean, history, merge, attach, accept)
for command in (*MEASURE, init, check, list_, doctor, parse, compare, export, load):
    cli.add_command(command)
cli.add_command(attach, "publish")  # another name of the same command


def main() -> NoReturn:
    """Run a command. An expected error is one message and its exit code; a bug keeps its traceback."""
    accept_any_text()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _terminate)
    try:
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        vars(error)["message"] = plain(error.message)
        error.show()
        sys.exit(error.exit_code)
    except ProfpipeError as error:
        # Editors jump to file:line:col only at the start of a line.
        say(error if isinstance(error, ConfigError) else f"profpipe: {error}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _stopped()
    except BrokenPipeError:
        # `profpipe parse FILE | head` is not a failure; without stdout the interpreter does not complain at exit.
        sys.stdout = None
        sys.exit(0)
    except OSError as error:
        # The machine failed, not this program: stdout is on a full disk, a folder is not readable.
        say(f"profpipe: {error}", err=True)
        sys.stdout = None
        sys.exit(EXIT_ERROR)
    except MemoryError:
        say("profpipe: not enough memory: free some, raise `ulimit -v`, or use smaller captures", err=True)
        sys.exit(EXIT_ERROR)
    except Exception:
        # A stop inside an import surfaces as whatever that library makes of it: scipy raises RuntimeError.
        if not _STOPS:
            raise
        _stopped()


def _stopped() -> NoReturn:
    say("profpipe: stopped", err=True)
    _leave(EXIT_ERROR)


def _leave(code: int) -> NoReturn:
    """Exit at once with this code.

    When an interrupt arrives during `exec`, which every dataclass runs while its module is imported, CPython does not
    notice that it was handled and would end itself by SIGINT (Py_RunMain, unhandled_keyboard_interrupt).
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


_STOPS: list[int] = []  # the signals that have asked us to stop


def _terminate(number: int, _frame: FrameType | None) -> None:
    """A closed terminal or `kill` stops a study as Ctrl-C does: no server is left, finished runs are kept."""
    _STOPS.append(number)
    raise KeyboardInterrupt
