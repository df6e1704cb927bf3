"""What is stored on disk: run folders and the history. A file is complete or absent."""

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
