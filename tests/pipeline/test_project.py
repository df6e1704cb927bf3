"""The server of a project is found in its files, without running anything of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from profpipe.pipeline.project.command import adapted
from profpipe.pipeline.project.find import find_server

APPS = {
    "flask": ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
    "factory": ("shop/__init__.py", "import flask\ndef create_app():\n    a = flask.Flask('x')\n    return a\n"),
    "fastapi": ("src/main.py", "from fastapi import FastAPI\napi: FastAPI = FastAPI(title='x')\n"),
    "aiohttp": ("server.py", "from aiohttp import web\napp = web.Application()\n"),
    "django": ("manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"),
}


def project(root: Path, *programs: str, **files: str) -> Path:
    """A project with a virtual environment of these programs; a file's name has `__` for a slash, `_` for a dot."""
    for program in ("python", *programs):
        path = root / ".venv" / "bin" / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name, text in files.items():
        (root / name).write_text(text)
    return root


def app(root: Path, kind: str) -> None:
    name, text = APPS[kind]
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)
    if kind == "django":
        (root / "shop").mkdir()
        (root / "shop" / "wsgi.py").touch()


@pytest.mark.parametrize(
    ("kind", "programs", "argv"),
    [
        ("flask", ["gunicorn"], (".venv/bin/gunicorn", "-b", "127.0.0.1:{port}", "app:app")),
        ("flask", ["waitress-serve"], (".venv/bin/waitress-serve", "--listen=127.0.0.1:{port}", "app:app")),
        ("flask", [], (".venv/bin/python", "-m", "flask", "--app", "app:app", "run", "--port", "{port}")),
        ("factory", ["gunicorn"], (".venv/bin/gunicorn", "-b", "127.0.0.1:{port}", "shop:create_app()")),
        ("fastapi", ["uvicorn", "hypercorn"], (".venv/bin/uvicorn", "--port", "{port}", "main:api")),
        ("fastapi", ["hypercorn"], (".venv/bin/hypercorn", "-b", "127.0.0.1:{port}", "main:api")),
        ("django", ["gunicorn"], (".venv/bin/gunicorn", "-b", "127.0.0.1:{port}", "shop.wsgi:application")),
        ("django", [], (".venv/bin/python", "manage.py", "runserver", "--noreload", "127.0.0.1:{port}")),
    ],
)  # fmt: skip
def test_an_application_is_served_by_what_its_environment_has(
    kind: str, programs: list[str], argv: tuple[str, ...], tmp_path: Path
) -> None:
    app(project(tmp_path, *programs), kind)
    found = find_server(tmp_path)
    assert found is not None
    assert found.argv == argv
    assert found.language == "python"
    assert dict(found.env) == ({"PYTHONPATH": "src"} if kind == "fastapi" else {})


def test_an_aiohttp_application_is_run_by_its_own_server(tmp_path: Path) -> None:
    app(project(tmp_path), "aiohttp")
    found = find_server(tmp_path)
    assert found is not None
    assert found.argv[1] == "-c"
    assert "from server import app" in found.argv[2]
    assert "port={port}" in found.argv[2]


def test_an_application_without_a_server_for_it_is_not_found(tmp_path: Path) -> None:
    app(project(tmp_path), "fastapi")
    assert find_server(tmp_path) is None


def test_a_procfile_says_more_than_the_framework(tmp_path: Path) -> None:
    app(
        project(tmp_path, "gunicorn", Procfile="release: ./migrate\nweb: gunicorn -w 4 -b 0.0.0.0:$PORT app:app\n"),
        "flask",
    )
    found = find_server(tmp_path)
    assert found is not None
    assert found.found == "Procfile:2"
    assert found.argv == (".venv/bin/gunicorn", "-w", "4", "-b", "127.0.0.1:{port}", "app:app")


def test_the_last_stage_of_a_dockerfile_counts(tmp_path: Path) -> None:
    text = (
        'FROM a AS b\nCMD ["make"]\nFROM c\nENTRYPOINT ["uvicorn", "main:app"]\n'
        'CMD ["--host", "0.0.0.0", \\\n "--port", "8000"]\n'
    )
    project(tmp_path, "uvicorn", Dockerfile=text)
    found = find_server(tmp_path)
    assert found is not None
    assert found.argv == (".venv/bin/uvicorn", "main:app", "--host", "0.0.0.0", "--port", "{port}")


def test_the_service_of_a_compose_file_that_is_built_here(tmp_path: Path) -> None:
    database = "  db:\n    image: postgres\n    command: postgres -p 5432\n"
    text = f"services:\n{database}  web:\n    build: .\n    command: sh run\n"
    (project(tmp_path) / "compose.yaml").write_text(text)
    found = find_server(tmp_path)
    assert found is not None
    assert (found.argv, found.found) == (("sh", "run"), "compose.yaml:7")


@pytest.mark.parametrize(
    "command",
    ["\n      - gunicorn\n      - -w\n      - '2'\n      - app:app", " >\n      gunicorn -w 2\n      app:app"],
    ids=["list", "text"],
)
def test_a_compose_command_on_several_lines(command: str, tmp_path: Path) -> None:
    (project(tmp_path) / "compose.yaml").write_text(
        f"services:\n  web:\n    build: .\n    command:{command}\n    ports:\n      - 8000:8000\n"
    )
    found = find_server(tmp_path)
    assert found is not None
    assert found.argv == ("gunicorn", "-b", "127.0.0.1:{port}", "-w", "2", "app:app")


@pytest.mark.parametrize(
    ("text", "argv", "where"),
    [
        ('[tool.pdm.scripts]\ntest = "pytest"\nserve = "gunicorn app:app"\n',
         ("gunicorn", "-b", "127.0.0.1:{port}", "app:app"), "tool.pdm.scripts.serve"),
        ('[tool.poe.tasks.start]\ncmd = "uvicorn a:b --reload"\n',
         ("uvicorn", "--port", "{port}", "a:b"), "tool.poe.tasks.start"),
        ('[tool.rye.scripts]\nserver = { cmd = ["python", "-m", "uvicorn", "a:b", "--port", "80"] }\n',
         ("python", "-m", "uvicorn", "a:b", "--port", "{port}"), "tool.rye.scripts.server"),
        ('[tool.fastapi]\nentrypoint = "shop.main:app"\n',
         ("uvicorn", "--port", "{port}", "shop.main:app"), "tool.fastapi.entrypoint"),
    ],
)  # fmt: skip
def test_a_task_of_pyproject_that_starts_the_server(
    text: str, argv: tuple[str, ...], where: str, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    found = find_server(tmp_path)
    assert found is not None
    assert (found.argv, found.found) == (argv, f"pyproject.toml, {where}")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "# server\nFlask>=3\nwaitress==3.0.2  # small\n"),
        ("pyproject.toml", '[project]\nname = "x"\ndependencies = ["flask", "Waitress>=3"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\nflask = "^3"\nwaitress = "*"\n'),
        ("pyproject.toml", '[dependency-groups]\nserve = ["waitress"]\n'),
    ],
)
def test_without_an_environment_the_server_is_the_one_that_the_project_asks_for(
    name: str, text: str, tmp_path: Path
) -> None:
    app(tmp_path, "flask")
    (tmp_path / name).write_text(text)
    found = find_server(tmp_path)
    assert found is not None
    assert found.argv[0] == "waitress-serve"


def test_a_damaged_pyproject_is_passed_over(tmp_path: Path) -> None:
    app(tmp_path, "flask")
    (tmp_path / "pyproject.toml").write_text("[tool.pdm.scripts\nserve = 1")
    found = find_server(tmp_path)
    assert found is not None
    assert found.argv[0] == "gunicorn"


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("python manage.py migrate && exec gunicorn app:app", ("gunicorn", "-b", "127.0.0.1:{port}", "app:app")),
        ("uv run uvicorn app:app --reload", ("uvicorn", "--port", "{port}", "app:app")),
        ("gunicorn --bind=0.0.0.0:${PORT:-8000} a:b", ("gunicorn", "--bind=127.0.0.1:{port}", "a:b")),
        ("DEBUG=1 python -m uvicorn a:b --port 8000", ("python", "-m", "uvicorn", "a:b", "--port", "{port}")),
        ("python -m hypercorn a:b", ("python", "-m", "hypercorn", "-b", "127.0.0.1:{port}", "a:b")),
        ("python m.py runserver 0.0.0.0:8000", ("python", "m.py", "runserver", "--noreload", "127.0.0.1:{port}")),
        ("flask run", ("flask", "run", "--port", "{port}")),
        ("./server --name a:b", ("./server", "--name", "a:b")),
    ],
)  # fmt: skip
def test_a_command_gets_the_placeholder_of_its_port(line: str, argv: tuple[str, ...], tmp_path: Path) -> None:
    found = adapted(line, tmp_path)
    assert found is not None
    assert found.argv == argv
    assert bool(found.notes) == ("--reload" in line)


@pytest.mark.parametrize("line", ["", "gunicorn 'open", "gunicorn app:app | tee log"])
def test_what_is_no_command_is_passed_over(line: str, tmp_path: Path) -> None:
    assert adapted(line, tmp_path) is None
