"""profpipe.toml -> frozen Study, Target and LoadPlan."""

from profpipe.study.schema import LoadPlan, ProfilerUse, Ready, Request, Requires, Study, StudyFile, Target

__all__ = ["LoadPlan", "ProfilerUse", "Ready", "Request", "Requires", "Study", "StudyFile", "Target"]
