"""callgrind: instructions per function, exact and repeatable, of user code only."""

from profpipe.capture.profilers.callgrind.profiler import PROFILER

__all__ = ["PROFILER"]
