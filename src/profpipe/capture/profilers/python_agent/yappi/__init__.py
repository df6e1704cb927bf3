"""yappi: calls of every function in every thread or greenlet, exact; times diluted by its own cost."""

from profpipe.capture.profilers.python_agent.yappi.profiler import PROFILER

__all__ = ["PROFILER"]
