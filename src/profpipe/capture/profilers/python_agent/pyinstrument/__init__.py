"""pyinstrument: where one thread's elapsed time goes, sampled. For servers with one event loop in the main thread."""

from profpipe.capture.profilers.python_agent.pyinstrument.profiler import PROFILER

__all__ = ["PROFILER"]
