"""Cuts GitHub's OpenAPI description down to the routes that profpipe calls, with all they refer to.

    npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz package/generated/api.github.com.json
    python tests/forge/slim.py package/generated/api.github.com.json > tests/forge/github.json

The whole description is 13 MB, and Prism needs four times as long to start with it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

ROUTES = {
    "/user": ("get",),
    "/repos/{owner}/{repo}/pulls": ("get",),
    "/repos/{owner}/{repo}/pulls/{pull_number}": ("get",),
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ("get", "post"),
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ("patch", "delete"),
    "/repos/{owner}/{repo}/statuses/{sha}": ("post",),
    "/repos/{owner}/{repo}/check-runs": ("post",),
}
DROPPED = ("description", "summary", "externalDocs", "x-github", "x-octokit", "tags")


def slim(document: dict[str, Any]) -> dict[str, Any]:
    """The document with ROUTES only; prose is dropped, schemas, parameters, examples and answers stay."""
    paths = {
        path: {key: value for key, value in document["paths"][path].items() if key in (*methods, "parameters")}
        for path, methods in ROUTES.items()
    }
    kept: dict[str, dict[str, Any]] = {}
    _follow(paths, document, kept)
    return {
        "openapi": document["openapi"],
        "info": {key: document["info"][key] for key in ("version", "title", "license")},
        "servers": document["servers"],
        "paths": _without_prose(paths),
        "components": _without_prose(kept),
    }


def _follow(value: Any, document: dict[str, Any], kept: dict[str, dict[str, Any]]) -> None:
    if isinstance(value, list):
        for item in value:
            _follow(item, document, kept)
    if not isinstance(value, dict):
        return
    reference = value.get("$ref")
    if isinstance(reference, str):
        _, _, kind, name = reference.split("/")
        if name not in kept.setdefault(kind, {}):
            kept[kind][name] = document["components"][kind][name]
            _follow(kept[kind][name], document, kept)
    for item in value.values():
        _follow(item, document, kept)


def _without_prose(value: Any, field: str = "") -> Any:
    """A property may itself be called `description`: only its own prose is dropped, the property stays.

    Examples stay as they are: Prism answers with them.
    """
    if isinstance(value, list):
        return [_without_prose(item) for item in value]
    if not isinstance(value, dict):
        return value
    if field in ("value", "example"):
        return value
    if field in ("properties", "responses", "schemas", "examples", "headers"):
        return {
            key: {"description": "", **_without_prose(item)} if field == "responses" else _without_prose(item)
            for key, item in value.items()
        }
    return {key: _without_prose(item, key) for key, item in value.items() if key not in DROPPED}


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123
        json.dump(slim(json.load(file)), sys.stdout, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    sys.stdout.write("\n")
