"""Annotations as files and lines that a CI reads by itself, so that they need no permission of a token."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from profpipe.publish.interface import Annotation


def workflow_command(found: Annotation) -> str:
    """A line for the log of an Actions job, which GitHub shows on the changed line.

    https://docs.github.com/actions, "workflow commands": text and properties have escapes of their own.
    """
    level = "error" if found.failure else "warning"
    where = f"file={_property(found.path)},line={found.first},endLine={found.last},title={_property(found.title)}"
    return f"::{level} {where}::{escaped(found.text)}"


def escaped(text: str) -> str:
    """Text as the data of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return escaped(text).replace(":", "%3A").replace(",", "%2C")


def code_quality(found: Iterable[Annotation]) -> str:
    """GitLab's Code Quality report: a JSON list, shown in the merge request's widget and on the changed lines.

    A fingerprint is of file and title, so that a finding that moved by a few lines stays the same one.
    """
    rows = [
        {
            "description": f"{each.title}: {each.text}",
            "check_name": "profpipe",
            "fingerprint": hashlib.sha256(f"{each.path}\0{each.title}".encode("utf-8", "replace")).hexdigest(),
            "severity": "major" if each.failure else "minor",
            "location": {"path": each.path, "lines": {"begin": each.first, "end": each.last}},
        }
        for each in found
    ]
    return json.dumps(rows, indent=1) + "\n"
