"""Habits of servers that reviewers look for, each told by the functions that are called."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.analyse.names.dispatchers import HAND_OVER


@dataclass(frozen=True, slots=True)
class Habit:
    """`functions` = file and name of functions whose calls tell it, as globs on what a report shows.

    A method is shown with the class of its object by some profilers and with the class that defines it by others.
    `on_loop`: only calls that an event loop leads to count, since all other requests wait for these. `first_tells`: of
    the functions that differ the first listed tells it, however often the later ones run, which follow from it.
    `in_templates`: a template of the server can be what has the habit; where not, it only runs what its caller made.
    """

    key: str
    functions: tuple[tuple[str, str], ...]
    on_loop: bool = False
    first_tells: bool = False
    in_templates: bool = True


HABITS = (
    Habit(
        "query",
        (
            ("builtins", "<method 'execute' of '*' objects>"),
            ("psycopg/cursor.py", "*.execute"),
            ("psycopg/cursor_async.py", "*.execute"),
            ("pymysql/cursors.py", "*.execute"),
            ("MySQLdb/cursors.py", "*.execute"),
            ("aiosqlite/*.py", "*.execute"),
            ("asyncpg/connection.py", "*.fetch*"),
            ("asyncpg/connection.py", "*.execute"),
            ("django/db/backends/utils.py", "*.execute"),
            ("sqlalchemy/engine/base.py", "*._execute_context"),
            ("pymongo/*.py", "*Collection.find*"),
        ),
    ),
    Habit("regular expression", (("re/_compiler.py", "compile"), ("sre_compile.py", "compile"))),
    Habit(
        "template",
        (
            ("jinja2/environment.py", "*Environment.__init__"),
            ("jinja2/environment.py", "*Environment.compile"),
            ("django/template/base.py", "Template.__init__"),
            ("mako/template.py", "Template.__init__"),
        ),
        first_tells=True,
        in_templates=False,
    ),
    Habit(
        "validator",
        (
            ("pydantic/type_adapter.py", "TypeAdapter.__init__"),
            ("pydantic/main.py", "create_model"),
            ("pydantic/_internal/_model_construction.py", "ModelMetaclass.__new__"),
            ("marshmallow/schema.py", "*Schema.__init__"),
            ("jsonschema/validators.py", "validator_for"),
        ),
    ),
    Habit(
        "client",
        (
            ("httpx/_client.py", "*Client.__init__"),
            ("httpx2/_client.py", "*Client.__init__"),
            ("aiohttp/client.py", "ClientSession.__init__"),
            ("requests/sessions.py", "Session.__init__"),
            ("urllib3/poolmanager.py", "PoolManager.__init__"),
            ("botocore/client.py", "ClientCreator.create_client"),
            ("redis/client.py", "Redis.__init__"),
            ("redis/asyncio/client.py", "Redis.__init__"),
        ),
    ),
    Habit(
        "database connection",
        (
            ("_sqlite3", "connect"),
            ("sqlite3", "connect"),
            ("psycopg/connection.py", "*.connect"),
            ("psycopg/connection_async.py", "*.connect"),
            ("psycopg2/__init__.py", "connect"),
            ("pymysql/connections.py", "*.connect"),
            ("asyncpg/connection.py", "connect"),
            ("django/db/backends/base/base.py", "*.connect"),
        ),
    ),
    Habit(
        "blocking call",
        (
            ("time", "sleep"),
            ("subprocess.py", "Popen.__init__"),
            ("requests/sessions.py", "*.request"),
            ("urllib/request.py", "urlopen"),
            ("http/client.py", "*.getresponse"),
        ),
        on_loop=True,
    ),
    Habit("thread pool", tuple(HAND_OVER)),
    Habit("deep copy", (("copy.py", "deepcopy"),)),
    Habit("warning", (("_warnings", "warn"), ("warnings.py", "warn"))),
    Habit("log record", (("logging/__init__.py", "*._log"), ("loguru/_logger.py", "Logger._log"))),
    Habit("import", (("<frozen importlib._bootstrap>", "_find_and_load"),)),
    Habit(
        "accepted connection",
        (("socket.py", "socket.accept"), ("builtins", "<method '_accept' of '_socket.socket' objects>")),
    ),
)
