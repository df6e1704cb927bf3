"""perf: samples of the processors a server runs on, kernel included, filtered by its processes afterwards."""

from profpipe.capture.profilers.perf.profiler import PROFILER

__all__ = ["PROFILER"]
