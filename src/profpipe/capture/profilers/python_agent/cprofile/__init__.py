"""cProfile: calls of every function in one thread, from the standard library."""

from profpipe.capture.profilers.python_agent.cprofile.profiler import PROFILER

__all__ = ["PROFILER"]
