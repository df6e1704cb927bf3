"""The config reference, for editors (JSON Schema) and for people (docs/config.md), from the one shape in schema.py."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from profpipe.study.schema import StudyFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Model -> its table in the file, in the order of the reference.
TABLES: Mapping[str, str] = {
    "StudyFile": "the file",
    "Target": "[target.NAME]",
    "Ready": "[target.NAME.ready], [service.NAME.ready]",
    "EnvironmentTable": "[target.NAME.environment]",
    "Requires": "[target.NAME.requires]",
    "Https": "[target.NAME.https]",
    "Request": "[study.NAME.load.request], [target.NAME.request]",
    "ExpectedBody": "[load.NAME.request.expect_body]",
    "Route": "[[study.NAME.load.request]], [[load.NAME.request]]",
    "Service": "[service.NAME]",
    "SetUpRequest": "[[study.NAME.load.setup]], [[load.NAME.setup]]",
    "Feeder": "[study.NAME.load.feeder], [load.NAME.feeder]",
    "Take": "[[load.NAME.setup]] take.VALUE",
    "Study": "[study.NAME]",
    "LoadPlan": "[study.NAME.load], [study.NAME.throughput], [study.NAME.latency], [load.NAME]",
    "Counting": "[study.NAME.load.count], [load.NAME.count]",
    "ProfilerUse": "[study.NAME.profiler.PROFILER]",
    "Hypothesis": "[[study.NAME.hypothesis]]",
    "CategoryRule": "[[category]]",
}

EXAMPLE = """\
schema = 1

[target.old]
command = ["./server-old", "--port", "{port}"]
language = "native"

[target.new]
command = ["./server-new", "--port", "{port}"]
language = "native"
ready.line = "listening on"

[study.rewrite]
question = "Is the rewrite cheaper per request?"
targets = ["old", "new"]
profilers = ["clean", "callgrind"]
rounds = 7
load = { requests = 4000, connections = 20 }
profiler.callgrind = { rounds = 3, requests = 1000 }
"""

_HEAD = f"""\
# profpipe.toml

*Generated from the file's schema by `make docs`; the text comes from its models in `src/profpipe/study`.*

A **target** is one server variant: a command that starts it. A **study** is a question about some targets: which
profilers are used, under which load, in how many rounds, and which target is the baseline.

```toml
{EXAMPLE}```

`profpipe init` writes such a file for your own server. `profpipe check` reads it and prints every mistake at once:

```
profpipe.toml:4:1: target.old.comand: unknown key; did you mean "command"?
```

Which file is read: `--config FILE`, else the variable `PROFPIPE_CONFIG`, else the nearest `profpipe.toml` or
`pyproject.toml` with a `[tool.profpipe]` table, from the folder you are in up to the root of the repository. Outside a
repository only the folder itself is searched. All paths are relative to the file's folder. Only
`profpipe run` executes anything in the file.

The placeholders of a command are in its line below; `{{python}}` may be in `build` as well. Commands are lists of
arguments; there is no shell unless you start one.

`src/profpipe/study/profpipe.schema.json` is the same as a JSON Schema, for completion and checks in an editor:
`#:schema path/to/profpipe.schema.json` in the file's first line.
"""


@cache
def study_schema() -> Mapping[str, Any]:
    """JSON Schema of StudyFile as TOML sees it: no null, no titles that only repeat the key."""
    schema: dict[str, Any] = _toml_only(StudyFile.model_json_schema())
    return {"$schema": DIALECT, "title": "profpipe.toml", **schema}


def schema_json() -> str:
    return json.dumps(study_schema(), indent=2) + "\n"


def config_reference() -> str:
    """docs/config.md."""
    models = {"StudyFile": study_schema(), **study_schema()["$defs"]}
    sections = [_HEAD]
    for name, place in TABLES.items():
        title = "The file" if name == "StudyFile" else ", ".join(f"`{part}`" for part in place.split(", "))
        sections.append(f"## {title}\n\n{models[name]['description']}\n\n{_table(models[name])}\n")
    return "\n".join(sections)


def _toml_only(node: Any) -> Any:
    if isinstance(node, list):
        return [_toml_only(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _toml_only(value) for key, value in node.items()}
    choices = node.get("anyOf", [])
    if {"type": "null"} in choices:
        rest = [choice for choice in choices if choice != {"type": "null"}]
        node.pop("anyOf")
        node = (rest[0] if len(rest) == 1 else {"anyOf": rest}) | node
        if "default" in node and node["default"] is None:
            del node["default"]
    if isinstance(node.get("title"), str):
        del node["title"]
    return node


def _table(model: Mapping[str, Any]) -> str:
    rows = ["| key | value | default | |", "|---|---|---|---|"]
    required = model.get("required", ())
    for key, node in model["properties"].items():
        default = "**required**" if key in required else _default(node)
        rows.append(
            f"| `{key}` | {_kind(node)} | {default} | {node.get('description', '').replace('|', chr(92) + '|')} |"
        )
    return "\n".join(rows)


def _kind(node: Mapping[str, Any]) -> str:
    if "enum" in node:
        return ", ".join(f"`{json.dumps(value)}`" for value in node["enum"])
    if "const" in node:
        return f"`{json.dumps(node['const'])}`"
    if "$ref" in node:
        return "table, below"
    if choices := node.get("anyOf") or node.get("oneOf"):
        return " or ".join(_kind(choice) for choice in choices)
    match node.get("type"):
        case "array":
            return f"array of {_plural(node['items'])}"
        case "object":
            inner = next(iter(node.get("patternProperties", {}).values()), node.get("additionalProperties"))
            return f"table of {_plural(inner)}" if isinstance(inner, dict) and "$ref" not in inner else "tables, below"
        case "integer" | "number":
            return f"{'whole number' if node['type'] == 'integer' else 'number'}{''.join(_bounds(node))}"
        case "boolean":
            return "`true` or `false`"
        case _:
            return "text"


def _plural(node: Mapping[str, Any]) -> str:
    if "$ref" in node:
        return "tables, below"
    if node.get("type") == "array":
        return f"arrays of {_plural(node['items'])}"
    return {"string": "texts"}.get(str(node.get("type")), "values")


def _bounds(node: Mapping[str, Any]) -> Iterator[str]:
    low, above, high = node.get("minimum"), node.get("exclusiveMinimum"), node.get("maximum")
    if low is not None:
        yield f" from {low:,}"
    if above is not None:
        yield f" above {above:,}"
    if high is not None:
        yield f" to {high:,.0f}"


def _default(node: Mapping[str, Any]) -> str:
    if "default" not in node:
        return ""
    value = node["default"]
    return "" if value in ("", [], {}) or isinstance(value, dict) else f"`{json.dumps(value)}`"
