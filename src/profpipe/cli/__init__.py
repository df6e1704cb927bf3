"""The command line: parse options, call the pipeline, print, exit code. Results on stdout, all else on stderr."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import rich_click as click
from click.exceptions import Exit

from profpipe import __version__
from profpipe.cli.attach import attach
from profpipe.cli.commits import bisect, bisect_step, calibrate, clean, diff
from profpipe.cli.history import history, merge
from profpipe.cli.profiles import compare, export, parse
from profpipe.cli.setup import check, doctor, init, list_
from profpipe.cli.studies import report, run
from profpipe.errors import EXIT_ERROR, ConfigError, ProfpipeError

click.rich_click.COMMAND_GROUPS = {
    "*": [
        {"name": "Measure", "commands": ["run", "report"]},
        {"name": "Commits", "commands": ["diff", "bisect", "calibrate", "clean", "history", "merge"]},
        {"name": "On a pull request", "commands": ["attach"]},
        {"name": "Before the first run", "commands": ["doctor", "init", "check", "list"]},
        {"name": "Captures you already have", "commands": ["parse", "compare", "export"]},
    ]
}
EPILOG = "Start with `profpipe doctor`, then `profpipe init` in your server's folder, then `profpipe run`."


@click.group(context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "PROFPIPE"}, epilog=EPILOG)
@click.version_option(__version__, message="profpipe %(version)s")
def cli() -> None:
    """Why is this server slower than that one?

    profpipe starts every server variant under a profiler while it is loaded, and writes one HTML page: cost per
    request per function and category, side by side, with error bars and conclusions in words.
    """


MEASURE = (run, report, diff, bisect, bisect_step, calibrate, clean, history, merge, attach)
for command in (*MEASURE, init, check, list_, doctor, parse, compare, export):
    cli.add_command(command)
cli.add_command(attach)
cli.add_command(attach, "publish")


def main() -> NoReturn:
    """Run, turning our errors into one message and the exit code of the error; a bug keeps its traceback."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _terminate)
    try:
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ProfpipeError as error:
        # Editors jump to file:line:col only when nothing stands before it.
        print(error if isinstance(error, ConfigError) else f"profpipe: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        print("profpipe: stopped", file=sys.stderr)
        _leave(EXIT_ERROR)
    except BrokenPipeError:
        # `profpipe parse FILE | head` is no failure; devnull keeps the interpreter from complaining at exit.
        sys.stdout = None
        sys.exit(0)
    except OSError as error:
        # The machine's failure, not ours: a full disk behind stdout, a folder that may not be read.
        print(f"profpipe: {error}", file=sys.stderr)
        sys.stdout = None
        sys.exit(EXIT_ERROR)


def _leave(code: int) -> NoReturn:
    """End at once, with this code and no other.

    CPython forgets that an interrupt was handled when it fell into `exec`, which every dataclass runs while it is
    imported, and would then end by SIGINT (Py_RunMain, unhandled_keyboard_interrupt).
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    """A terminal that closes, or `kill`, ends a study as Ctrl-C does: no server is left, finished runs are kept."""
    raise KeyboardInterrupt
