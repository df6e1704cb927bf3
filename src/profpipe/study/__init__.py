"""profpipe.toml read into frozen Study, Target and LoadPlan."""

from profpipe.study.find import find_study_file
from profpipe.study.read import LoadedFile, read_study_file
from profpipe.study.schema import (
    CategoryRule,
    Hypothesis,
    LoadPlan,
    ProfilerUse,
    Ready,
    Request,
    Requires,
    Study,
    StudyFile,
    Target,
)
from profpipe.study.starter import starter_file

__all__ = [
    "CategoryRule",
    "Hypothesis",
    "LoadPlan",
    "LoadedFile",
    "ProfilerUse",
    "Ready",
    "Request",
    "Requires",
    "Study",
    "StudyFile",
    "Target",
    "find_study_file",
    "read_study_file",
    "starter_file",
]
