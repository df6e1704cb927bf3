"""Servers that go to the background unless they are told not to: what keeps each in the foreground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

# From the manual page of each: what to add to its command, or to leave out of it.
FOREGROUND: Mapping[str, str] = {
    "nginx": 'add `-g "daemon off;"` to its command',
    "lighttpd": "add `-D` to its command",
    "apache2": "add `-DFOREGROUND` to its command",
    "httpd": "add `-DFOREGROUND` to its command",
    "haproxy": "add `-db` to its command",
    "varnishd": "add `-F` to its command",
    "redis-server": "add `--daemonize no` to its command",
    "php-fpm": "add `--nodaemonize` to its command",
    "memcached": "leave `-d` out of its command",
    "gunicorn": "leave `--daemon` out of its command",
    "uwsgi": "leave `--daemonize` out of its command",
}


def foreground(argv: Sequence[str]) -> str:
    """What to do so that this server stays in the foreground."""
    names = [Path(word).name for word in argv]
    known = next((name for name in names if name in FOREGROUND), None)
    return FOREGROUND[known] if known else "start it in the foreground: most servers have an option for that"
