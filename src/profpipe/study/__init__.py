"""profpipe.toml read into frozen Study, Target and LoadPlan.

What other rooms use is found here and imported when it is first asked for: globs do not need the schema.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from profpipe.study.find import find_study_file
    from profpipe.study.read import LoadedFile, read_study_file
    from profpipe.study.requests import Request
    from profpipe.study.schema import (
        CategoryRule,
        Hypothesis,
        LoadPlan,
        ProfilerUse,
        Study,
        StudyFile,
        Target,
    )
    from profpipe.study.service import Service
    from profpipe.study.starter import starter_file
    from profpipe.study.starting import Ready, Requires

__all__ = [
    "CategoryRule",
    "Hypothesis",
    "LoadPlan",
    "LoadedFile",
    "ProfilerUse",
    "Ready",
    "Request",
    "Requires",
    "Service",
    "Study",
    "StudyFile",
    "Target",
    "find_study_file",
    "read_study_file",
    "starter_file",
]

_FILES = {
    "Request": "requests",
    "find_study_file": "find",
    "LoadedFile": "read",
    "read_study_file": "read",
    "starter_file": "starter",
    "Ready": "starting",
    "Requires": "starting",
    "Service": "service",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES.get(name, 'schema')}"), name)
