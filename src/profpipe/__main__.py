"""The command, installed or as `python -m profpipe`: a stop while it is still being imported is a stop too."""

import os
import sys


def main() -> None:
    """Import the command line and run it; Ctrl-C before it can answer for itself ends the process in one line."""
    try:
        from profpipe.cli import main as command_line
    except KeyboardInterrupt:
        sys.stderr.write("profpipe: stopped\n")
        sys.stderr.flush()
        # Not sys.exit: an interrupt inside an import can end the interpreter by SIGINT whatever was caught.
        os._exit(1)
    command_line()


if __name__ == "__main__":
    main()
