"""What is stored on disk: run folders and the history. A file is complete or absent.

What other rooms use is found here and imported when it is first asked for: writing a file needs no model of a run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from profpipe.store.files import write_output, write_together, write_whole
    from profpipe.store.run_folders import (
        RUN_FILE,
        RUNS,
        STARTS,
        STUDY_FILE,
        StoredRun,
        find_study_folder,
        new_run_folder,
        new_study_folder,
        read_runs,
        read_starts,
        read_study,
        remove_starts,
        remove_unfinished_runs,
        write_run,
        write_start,
        write_study,
    )
    from profpipe.store.untrusted_paths import inside, read_file

__all__ = [
    "RUNS",
    "RUN_FILE",
    "STARTS",
    "STUDY_FILE",
    "StoredRun",
    "find_study_folder",
    "inside",
    "new_run_folder",
    "new_study_folder",
    "read_file",
    "read_runs",
    "read_starts",
    "read_study",
    "remove_starts",
    "remove_unfinished_runs",
    "write_output",
    "write_run",
    "write_start",
    "write_study",
    "write_together",
    "write_whole",
]

_FILES = {
    "inside": "untrusted_paths",
    "read_file": "untrusted_paths",
    "write_output": "files",
    "write_together": "files",
    "write_whole": "files",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES.get(name, 'run_folders')}"), name)
