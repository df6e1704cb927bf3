"""`python -m tests.support.kills --times 200`: run, diff, bisect, calibrate and attach, each killed at random moments.

After each: no process of it is alive, no temporary folder or half file is left, no worktree is broken, whatever is in
a run folder can be reported, a comment is whole or absent, and nothing printed a traceback.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.support.attach_driving import github_environment
from tests.support.demo_repository import git
from tests.support.forge_server import Forge
from tests.support.paths import DATA
from tests.support.small_repository import put
from tests.support.study_driving import StudyFolder, server, slow

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
BRIEF = ("-t", "b", "-p", "clean", "-r", "1", "--max-rounds", "1")
COMMANDS = {
    "run": ("run", "s"),
    "diff": ("diff", "HEAD~1..HEAD", "s", *BRIEF),
    "bisect": ("bisect", "HEAD~2", "HEAD", "s", "--metric", "clean:cpu_us", *BRIEF),
    "calibrate": ("calibrate", "s", "-N", "2", *BRIEF),
    "attach": ("attach", str(DATA / "report" / "fastapi-json.json"), "--output", "attached"),
}


def repository(root: Path) -> StudyFolder:
    """Three commits of a study with a server that forks and one that waits, its cache beside them."""
    folder = StudyFolder(root, {"PROFPIPE_CACHE": str(root / "cache"), "HOME": str(root), "PROFPIPE_ALONGSIDE": "1"})
    folder.write({"a": server("forks"), "b": slow(0.002)})
    git(root, "init", "--quiet")
    git(root, "config", "user.name", "n")
    git(root, "config", "user.email", "n@example.org")
    (root / ".gitignore").write_text("cache\nreports\nout\ntmp\nattached\n*.json\n*.md\n")
    for number in range(3):
        put(root, "slow.py", f"{(root / 'slow.py').read_text()}# {number}\n", f"change {number}")
    return folder


def killed(folder: StudyFolder, name: str, env: dict[str, str], after: float, how: signal.Signals) -> tuple[bool, str]:
    """Whether the command was under way when the signal came, and what it said."""
    started = folder.start(*COMMANDS[name], **env)
    with suppress(subprocess.TimeoutExpired):
        started.process.wait(after)
    hit = started.process.poll() is None
    started.process.send_signal(how)
    return hit, started.end(20).err


def faults(folder: StudyFolder, forge: Forge, said: str, *, report: bool) -> list[str]:
    """What is wrong after a kill; `report` = what was kept is reported, too."""
    found = ["a traceback"] if "Traceback" in said else []
    checks: list[tuple[str, Callable[[], object]]] = [
        ("left", folder.check_left_nothing),
        ("worktrees", lambda: git(folder.root, "worktree", "list", "--porcelain")),
    ]
    if report:
        checks.append(("reports", lambda: _reported(folder)))
    for what, check in checks:
        try:
            check()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is a find
            found.append(f"{what}: {type(error).__name__}: {error}")
    comments = forge.state.comments
    if len(comments) > 1 or any("profpipe" not in comment["body"] for comment in comments):
        found.append(f"{len(comments)} comments")
    return found


def _reported(folder: StudyFolder) -> None:
    """Whatever run folder is left can be reported, or is refused in words."""
    left = sorted([*folder.folders(), *(path.parent for path in folder.root.glob("reports/*/*/study.json"))])
    for path in left[-1:]:
        done = folder.do("report", str(path))
        assert done.code in (0, 1, 3), f"report of {path.name} ended with {done.code}"
        assert "Traceback" not in done.err, done.err


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=200)
    options.add_argument("--longest", type=float, default=8.0, help="seconds until a command is killed")
    options.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFF)
    options.add_argument("commands", nargs="*", choices=[*COMMANDS, []], help="default: all, in turn")
    given = options.parse_args()
    chance, hits, bad = random.Random(given.seed), Counter[str](), 0
    print(f"seed {given.seed}")
    names = given.commands or list(COMMANDS)
    with tempfile.TemporaryDirectory(prefix="kills-") as temporary, Forge() as forge:
        folder = repository(Path(temporary) / "study")
        env = github_environment(forge, folder.root)
        for number in range(given.times):
            name, how = names[number % len(names)], chance.choice(SIGNALS)
            after = chance.uniform(0, given.longest)
            hit, said = killed(folder, name, env, after, how)
            hits[name] += hit
            if number % 10 == 9:
                print(f"{number + 1} kills, {sum(hits.values())} under way, {bad} faults", flush=True)
            for fault in faults(folder, forge, said, report=number % 4 == 0):
                bad += 1
                print(f"{name}, {how.name} after {after:.2f} s: {fault}\n{said[-600:]}", flush=True)
    print(f"{given.times} kills, {sum(hits.values())} under way ({dict(hits)}): {bad} faults")
    return min(bad, 1)


if __name__ == "__main__":
    os.environ["PROFPIPE_ALONGSIDE"] = "1"
    sys.exit(main())
