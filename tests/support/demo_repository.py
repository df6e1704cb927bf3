"""A small server with real commits, each of which changes one thing: `python -m tests.support.demo_repository FOLDER`.

Every commit carries a tag of its name, so that `profpipe diff formatting~1..formatting` shows what it costs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import DEMO


@dataclass(frozen=True)
class Edit:
    """In `file`, `old` (which stands there once) becomes `new`; a file that is not there begins empty."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Change:
    """One commit. `verdict` and `category` are what a comparison with its parent must say."""

    tag: str
    subject: str
    edits: tuple[Edit, ...]
    verdict: str
    category: str = ""


CHANGES: tuple[Change, ...] = (
    Change(
        "noop",
        "say what serving is",
        (
            Edit(
                "server.c",
                "static int serve(",
                "/* Reads what has come and answers it; -1 when the connection is over. */\nstatic int serve(",
            ),
        ),
        "no change",
    ),
    Change(
        "rename",
        "call the parser what it is",
        (
            Edit("request.h", "size_t parse_request(", "size_t scan_request("),
            Edit("request.c", "size_t parse_request(", "size_t scan_request("),
            Edit("request.c", "*line_end(const char *at", "*find_line_end(const char *at"),
            Edit("request.c", "*stop = line_end(in, end)", "*stop = find_line_end(in, end)"),
            Edit("request.c", "(stop = line_end(line, end))", "(stop = find_line_end(line, end))"),
            Edit("server.c", "(size = parse_request(", "(size = scan_request("),
        ),
        "no change",
    ),
    Change(
        "move",
        "numbers in a file of their own",
        (
            Edit(
                "number.h",
                "",
                "#pragma once\n#include <stddef.h>\n\n/* Writes a number in decimal; returns its digits. */\n"
                "size_t put_number(char *out, size_t value);\n",
            ),
            Edit(
                "head.h",
                "/* Writes a number in decimal; returns its digits. */\n"
                "size_t put_number(char *out, size_t value);\n\n",
                "",
            ),
            Edit("page.c", '#include "head.h"\n', '#include "number.h"\n'),
            Edit(
                "number.c",
                "",
                """#include "number.h"

__attribute__((noinline)) size_t put_number(char *out, size_t value) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    for (size_t i = 0; i < count; i++) {
        out[i] = digits[count - 1 - i];
    }
    return count;
}
""",
            ),
            Edit(
                "head.c",
                """__attribute__((noinline)) size_t put_number(char *out, size_t value) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    for (size_t i = 0; i < count; i++) {
        out[i] = digits[count - 1 - i];
    }
    return count;
}

""",
                "",
            ),
            Edit("head.c", '#include "head.h"\n', '#include "head.h"\n\n#include "number.h"\n'),
        ),
        "no change",
    ),
    Change(
        "formatting",
        "heads by snprintf",
        (
            Edit(
                "head.c",
                """    memcpy(out, BEFORE, sizeof BEFORE - 1);
    size_t length = sizeof BEFORE - 1;
    length += put_number(out + length, body);
    memcpy(out + length, "\\r\\n\\r\\n", 4);
    return length + 4;
""",
                """    static const char HEAD[] =
        "HTTP/1.1 %d %s\\r\\nServer: %s\\r\\nContent-Type: %s\\r\\nContent-Length: %zu\\r\\n\\r\\n";
    return (size_t)snprintf(out, HEAD_ROOM, HEAD, 200, "OK", "demonstration", "text/plain", body);
""",
            ),
            Edit("head.c", '#include "number.h"\n\n#include <string.h>\n', "#include <stdio.h>\n"),
            Edit(
                "head.c",
                'static const char BEFORE[] = "HTTP/1.1 200 OK\\r\\nServer: demonstration\\r\\n'
                'Content-Type: text/plain\\r\\nContent-Length: ";\n\n',
                "",
            ),
        ),
        "worse",
        "format",
    ),
    Change(
        "alloc",
        "keep a copy of the path while a request is answered",
        (
            Edit(
                "server.c",
                "        size_t page_length = write_page(page, request.path, request.path_length);\n",
                "        char *path = strndup(request.path, request.path_length);\n"
                "        size_t page_length = write_page(page, path, request.path_length);\n",
            ),
            Edit(
                "server.c",
                "        count_request(&request);\n",
                "        count_request(&request);\n        free(path);\n",
            ),
        ),
        "worse",
        "alloc",
    ),
    Change(
        "lock",
        "count under a lock, for the threads that are to come",
        (
            Edit(
                "stats.c",
                "static unsigned long",
                "#include <pthread.h>\n\nstatic pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;\n"
                "static unsigned long",
            ),
            Edit(
                "stats.c",
                "        headers++;\n",
                "        pthread_mutex_lock(&counting);\n        headers++;\n"
                "        pthread_mutex_unlock(&counting);\n",
            ),
        ),
        "worse",
        "locking",
    ),
    Change(
        "syscall",
        "ask how much has come before reading it",
        (
            Edit("server.c", "#include <sys/epoll.h>\n", "#include <sys/epoll.h>\n#include <sys/ioctl.h>\n"),
            Edit(
                "server.c",
                "    ssize_t got = read(",
                "    int waiting = 0;\n    if (ioctl(connection->fd, FIONREAD, &waiting) != 0 || waiting < 0) {\n"
                "        return -1;\n    }\n    ssize_t got = read(",
            ),
        ),
        "worse",
        "syscalls",
    ),
)
# Who and when are fixed, so that the commits have the same names everywhere.
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))
}
FIRST_DAY = 1_767_225_600


def git(folder: Path, *words: str, day: int = 0) -> str:
    """`git WORDS` in the repository, as Ada, without the configuration of whoever runs the tests."""
    date = f"{FIRST_DAY + day * 86_400} +0000"
    env = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date, **IDENTITY,
    }  # fmt: skip
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True, env=env)
    return done.stdout.strip()


def make(folder: Path, changes: tuple[Change, ...] = CHANGES, *, control: bool = True) -> Path:
    """The repository in a new folder: `base`, then one commit for each change, all on main.

    Without `control`, its study does not measure the baseline against itself, which is a third of the runs of a diff.
    """
    folder.mkdir(parents=True)
    for file in DEMO.iterdir():
        shutil.copy(file, folder / (".gitignore" if file.name == "gitignore" else file.name))
    if not control:
        study = folder / "profpipe.toml"
        study.write_text(study.read_text().replace("slices = false\n", "slices = false\ncontrol = false\n"))
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "base", "a small server", 0)
    for day, change in enumerate(changes, 1):
        apply(folder, change)
        commit(folder, change.tag, change.subject, day)
    return folder


def apply(folder: Path, change: Change) -> None:
    for edit in change.edits:
        path = folder / edit.file
        text = path.read_text() if path.exists() else ""
        assert text.count(edit.old) == 1 or not text, (
            f"{change.tag}: {edit.file} holds {text.count(edit.old)} {edit.old!r}"
        )
        path.write_text(text.replace(edit.old, edit.new, 1) if text else edit.new)


def commit(folder: Path, tag: str, subject: str, day: int) -> str:
    git(folder, "add", "--all", day=day)
    git(folder, "commit", "--quiet", "-m", subject, day=day)
    git(folder, "tag", tag, day=day)
    return git(folder, "rev-parse", "HEAD")


if __name__ == "__main__":
    sys.stdout.write(f"{make(Path(sys.argv[1]))}\n")
