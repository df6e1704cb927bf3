"""PostgreSQL: calls of each statement, by its module pg_stat_statements.

It counts a statement in shared memory before the answer is sent. The counters of pg_stat_database are no substitute:
each session hands its own over at most once a second. `psql`, which every installation has, asks for them, so that
profpipe needs no driver.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping

from profpipe.capture.server.process import inherited_environment
from profpipe.capture.services.needs import search_path
from profpipe.capture.services.running import RunningService, filled
from profpipe.errors import CaptureError

AT = "postgresql://postgres@{host}:{port}/postgres"
SECONDS = 20.0
ASK = """\
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
SELECT coalesce(json_object_agg(query, calls), '{}') FROM (
    SELECT query, sum(calls)::bigint AS calls FROM pg_stat_statements WHERE query IS NOT NULL GROUP BY query
) AS found;
"""
# The first word of what is no query.
NO_QUERY = frozenset(
    ("BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "SET", "RESET", "SHOW", "DISCARD",
     "DEALLOCATE")
)  # fmt: skip
NOT_LOADED = "shared_preload_libraries"


def read(running: RunningService) -> Mapping[str, int]:
    """As QueryCounter.read."""
    at = filled(running.service.queries_at or AT, running.values)
    env = inherited_environment() | {"PATH": search_path(running.service), "PGCONNECT_TIMEOUT": "5"}
    try:
        done = subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", at], input=ASK,
            capture_output=True, text=True, timeout=SECONDS, env=env, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CaptureError("load", f"psql cannot be asked: {error}") from error
    if done.returncode != 0:
        raise CaptureError("load", _why(done.stderr.strip()))
    found: dict[str, int] = json.loads(done.stdout)
    return {" ".join(text.split()): calls for text, calls in found.items() if _is_query(text)}


def _is_query(text: str) -> bool:
    first = text.lstrip().partition(" ")[0].rstrip(";").upper()
    return first not in NO_QUERY and "pg_stat_statements" not in text


def _why(complaint: str) -> str:
    if NOT_LOADED in complaint:
        return 'add "-c", "shared_preload_libraries=pg_stat_statements" to the command of the service'
    if "is not available" in complaint or "could not open extension" in complaint:
        return "PostgreSQL's module pg_stat_statements is not installed: apt install postgresql-contrib"
    return complaint.splitlines()[-1] if complaint else "psql failed without a message"
