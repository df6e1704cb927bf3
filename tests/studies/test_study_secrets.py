"""Two hundred secrets in the commands, environments, addresses and headers of a study; none of them shown anywhere."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.study_driving import LOAD, StudyFolder, server

CANARIES = [f"cnry{number:03d}Zk9xQ{number * 7919:07d}" for number in range(200)]
ONE_WORD = ("--token={}", "postgres://user:{}@db.example/x", "https://h/x?access_token={}&b=1", "API_TOKEN={}")
TWO_WORDS = ("--password", "--auth-token", "--api-key", "--db_secret", "--cookie", "-token")
HEADERS = ("Cookie: a={}; b={}", "X-Api-Key: {}", "Authorization: Bearer {}", "Set-Cookie: s={}; Path=/; t={}")
PRINTS_AND_FAILS = "import sys; [print(word) for word in sys.argv[1:]]; print(' '.join(sys.argv[1:])); sys.exit(3)"


def arguments(take: Iterator[str], many: int) -> list[str]:
    """Command line arguments with `many` or more secrets in every form."""
    words: list[str] = []
    used = 0
    while used < many:
        for form in ONE_WORD:
            words.append(form.format(next(take)))
        for option in TWO_WORDS:
            words += [option, next(take)]
        for form in HEADERS:
            slots = form.count("{}")
            words += ["-H", form.format(*itertools.islice(take, slots))]
        used += len(ONE_WORD) + len(TWO_WORDS) + 6
    return words


def hidden_study(study: StudyFolder) -> None:
    take = itertools.cycle(CANARIES)
    env = {"DB_PASSWORD": next(take), "SENTRY_DSN": f"https://{next(take)}@sentry.example/1"}
    headers = {"Authorization": f"Bearer {next(take)}", "Cookie": f"id={next(take)}; x={next(take)}"}
    headers |= {"X-Api-Key": next(take), "X-Auth-Token": next(take)}
    request = {"path": f"/x?token={next(take)}&api_key={next(take)}", "headers": headers}
    good: dict[str, Any] = server("good")
    good["command"] = [*good["command"], *arguments(take, 90)]
    bad = {"command": ["{python}", "-c", PRINTS_AND_FAILS, "{port}", *arguments(take, 100)], "language": "python"}
    study.write({"good": good | {"env": env}, "bad": bad | {"env": env}}, load={**LOAD, "request": request})


@pytest.fixture(name="study")
def study_folder(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path)


@pytest.mark.real
def test_no_secret_of_a_study_is_in_its_files_or_on_the_terminal(study: StudyFolder) -> None:
    hidden_study(study)
    done = study.do("run", "s")
    assert study.folders(), done.err
    (folder,) = study.folders()
    texts = {"stdout": done.out, "stderr": done.err}
    for path in folder.rglob("*"):
        if path.suffix in {".html", ".json", ".md"}:
            texts[str(path.relative_to(folder))] = path.read_text()
    assert {"report.html", "report.json", "comment.md", "study.json"} <= set(texts), done.err
    assert sum(name.endswith("run.json") for name in texts) == 2
    found = {name: [value for value in CANARIES if value in text] for name, text in texts.items()}
    assert {name: values for name, values in found.items() if values} == {}
    assert "[hidden]" in texts["report.json"]


@pytest.mark.real
def test_files_of_a_study_are_as_private_as_the_umask_says(study: StudyFolder) -> None:
    study.write({"good": server("good")})
    before = os.umask(0o077)
    try:
        study.do("run", "s")
    finally:
        os.umask(before)
    (folder,) = study.folders()
    open_to_others = {
        str(path) for path in folder.rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077 and path.is_file()
    }
    assert open_to_others == set()
