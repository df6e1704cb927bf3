"""Services beside the servers, as profpipe.toml has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.study_file import mistakes, read

DB = '[service.db]\ncommand = ["db", "{port}", "{data}"]\nprovides = { DATABASE = "{host}:{port}" }\n'
TARGET = '[target.a]\ncommand = ["srv", "{port}"]\nenv = { AT = "{service.db.port}" }\n'
STUDY = '[study.s]\ntargets = ["a"]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TARGET + DB, "target.a.env.AT: {service.db.port}: the target does not use it: set services"),
        (TARGET, "target.a.env.AT: {service.db.port}: no [service.db] in this file"),
        (
            DB + TARGET + 'services = ["dbs"]\n',
            'no [service.dbs] in this file; did you mean "db"?',
        ),
        (
            DB + STUDY + 'services = ["dp"]\n' + '[target.a]\ncommand = ["srv", "{port}"]\n',
            "study.s.services[0]: no [service.dp]",
        ),
        (
            DB + TARGET.replace("db.port", "db.prot") + 'services = ["db"]\n',
            'a service has no {prot}; did you mean "port"?',
        ),
        (
            '[service.db]\ncommand = ["db"]\n',
            "service.db.command: the service's port is unknown: put {port} or {socket}",
        ),
        (DB + 'prepare = [["x", "{tls_cert}"]]\n', "service.db.prepare[0][1]: unknown placeholder {tls_cert}"),
        (
            DB + 'fixture = [["x", "{host}", "{hots}"]]\n',
            'fixture[0][2]: unknown placeholder {hots}; did you mean "host"?',
        ),
        (DB.replace("{host}", "{python}"), "service.db.provides.DATABASE: unknown placeholder {python}"),
        (DB + 'ready = { tcp = true, line = "x" }\n', "service.db.ready: tcp and line are both set: keep one"),
        (DB + 'cwd = "nowhere"\n', "service.db.cwd: no such folder: nowhere"),
        (DB + 'per = "run"\n', "service.db.per: must be 'study' or 'start', got \"run\""),
    ],
    ids=lambda value: None if "\n" in str(value) else str(value)[:30],
)
def test_what_cannot_be_meant_is_refused(text: str, told: str, tmp_path: Path) -> None:
    assert any(told in line for line in mistakes(tmp_path, text)), mistakes(tmp_path, text)


def test_a_study_knows_its_services_and_those_of_its_targets(tmp_path: Path) -> None:
    cache = '[service.cache]\ncommand = ["cache", "{socket}"]\n'
    text = DB + cache + TARGET + 'services = ["cache"]\n' + STUDY + 'services = ["db"]\n[study.t]\ntargets = ["a"]\n'
    studies = read(tmp_path, text).file.study
    assert list(studies["s"].used_services) == ["db", "cache"]
    assert list(studies["t"].used_services) == ["cache"]
    assert studies["s"].used_services["db"].cwd == str(tmp_path)
