"""Functions that run what other code has left for them: event loops and the workers of thread pools.

What they cost is what they run, so that none of them is a cause, and what they run was not asked for by their callers.
"""

from __future__ import annotations

from collections.abc import Sequence

from profpipe.study.globs import glob

Functions = Sequence[tuple[str, str]]

# File and name as a report shows them, as globs.
LOOPS: Functions = (
    ("asyncio/base_events.py", "*._run_once"),
    ("asyncio/base_events.py", "*.run_forever"),
    ("asyncio/base_events.py", "*.run_until_complete"),
    ("asyncio/events.py", "*Handle._run"),
    ("asyncio/runners.py", "*"),
    ("selectors.py", "*.select"),
)
# Servers whose coroutines a loop in C runs, which no profiler of Python functions shows.
SERVERS_ON_LOOPS: Functions = (
    ("uvicorn/protocols/*", "*"),
    ("hypercorn/*", "*"),
    ("aiohttp/web_protocol.py", "*"),
    ("tornado/http1connection.py", "*"),
)
POOLS: Functions = (
    ("concurrent/futures/thread.py", "_worker"),
    ("concurrent/futures/thread.py", "_WorkItem.run"),
    ("anyio/_backends/_asyncio.py", "WorkerThread.run"),
    ("threading.py", "*Thread.run"),
    ("threading.py", "*Thread._bootstrap*"),
)
# Functions that hand another one to a pool of threads.
HAND_OVER: Functions = (
    ("starlette/concurrency.py", "run_in_threadpool"),
    ("anyio/to_thread.py", "run_sync"),
    ("asgiref/sync.py", "SyncToAsync.__call__"),
    ("asyncio/threads.py", "to_thread"),
    ("asyncio/base_events.py", "*.run_in_executor"),
    ("concurrent/futures/thread.py", "ThreadPoolExecutor.submit"),
)


def is_loop(file: str, name: str) -> bool:
    return _matches(LOOPS, file, name)


def is_on_loop(file: str, name: str) -> bool:
    """Whether this function runs on an event loop for certain, or is one."""
    return _matches(LOOPS, file, name) or _matches(SERVERS_ON_LOOPS, file, name)


def is_pool(file: str, name: str) -> bool:
    return _matches(POOLS, file, name)


def is_dispatcher(file: str, name: str) -> bool:
    return is_loop(file, name) or is_pool(file, name)


def hands_over(file: str, name: str) -> bool:
    return _matches(HAND_OVER, file, name)


def _matches(functions: Functions, file: str, name: str) -> bool:
    return any(glob(f).match(file) and glob(n).match(name) for f, n in functions)
