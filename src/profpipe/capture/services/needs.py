"""What a service needs before it can be started: its programs, and a user that it agrees to run as."""

from __future__ import annotations

import os
import pwd
import re
import shutil
from glob import glob
from pathlib import Path

from profpipe.capture.server.process import User
from profpipe.study.service import Service

# Programs that refuse to run as root (PostgreSQL's documentation, "The PostgreSQL User Account").
NOT_AS_ROOT = frozenset({"postgres", "postmaster", "initdb", "pg_ctl"})


def search_path(service: Service) -> str:
    """The PATH of its commands: its own folders first, of several versions the highest, then ours."""
    own = [
        folder
        for pattern in service.path
        for folder in sorted(glob(pattern), key=_version, reverse=True)  # noqa: PTH207 - the pattern is a whole path
    ]
    return os.pathsep.join([*own, os.environ.get("PATH", os.defpath)])


def _version(folder: str) -> list[tuple[int, str]]:
    """Numbers in a path as numbers: 15 comes after 9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", folder)]


def missing_for(service: Service) -> str | None:
    """What must be installed or set before this service can be started, as a sentence; None when nothing is missing."""
    programs = dict.fromkeys(
        line[0] for line in (service.command, *service.prepare, *service.fixture) if not line[0].startswith("{")
    )
    absent = [name for name in (*programs, *service.requires) if _find(name, service) is None]
    if absent:
        where = f", nor in {', '.join(service.path)}" if service.path else ""
        install = f": {service.install}" if service.install else ""
        return f"{', '.join(dict.fromkeys(absent))} not found on the PATH{where}{install}"
    return _no_user(service, programs)


def _find(name: str, service: Service) -> str | None:
    return shutil.which(str(Path(service.cwd) / name) if os.sep in name else name, path=search_path(service))


def _no_user(service: Service, programs: dict[str, None]) -> str | None:
    if os.geteuid() != 0:
        return None
    refusing = next((name for name in programs if Path(name).name in NOT_AS_ROOT), None)
    if service.user is None:
        why = f'{refusing} refuses to run as root: set user = "postgres", or the name of another user without rights'
        return why if refusing is not None else None
    try:
        entry = pwd.getpwnam(service.user)
    except KeyError:
        return f'there is no user "{service.user}" on this machine: set `user` to one of /etc/passwd'
    return None if entry.pw_uid or refusing is None else f"{refusing} refuses to run as root: set another `user`"


def user_of(service: Service) -> User | None:
    """Who it runs as; None = as we do, since only root can become another user. KeyError where there is none."""
    if service.user is None or os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(service.user)
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid)


def environment_of(service: Service) -> dict[str, str]:
    """What its commands get besides `env` and what every server inherits: the PATH, and of its user the names."""
    found = {"PATH": search_path(service)}
    if user_of(service) is not None and service.user is not None:
        found |= {"HOME": pwd.getpwnam(service.user).pw_dir, "USER": service.user, "LOGNAME": service.user}
    return found
