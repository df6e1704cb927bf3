"""A report.json of schema 1 as one of schema 2, so that every report that was ever written can be read.

Schema 2 keeps throughput and latency among the figures of a variant, calls the smallest change that rounds would have
shown `detectable` (it was `floor`), and names the parts of a target that was left out.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from profpipe.model.metric_keys import BY_KEY, CLEAN, OLD_KEYS, THROUGHPUT
from profpipe.model.report import SCHEMA, Report

OLD, NEW = "profpipe.report/1", SCHEMA
SCHEMAS = (OLD, NEW)
_OTHER_LABELS = {"clean:p90_us": "p90 latency", "clean:max_us": "slowest"}
_PATHS = (
    (re.compile(r"^(variants\.\d+)\.throughput\."), rf"\1.figures.{THROUGHPUT}."),
    (re.compile(r"^(variants\.\d+)\.latency\."), rf"\1.figures.{CLEAN}:"),
    (re.compile(r"^(variants\.\d+\.against_baseline)\.(throughput|p\d+_us|max_us)\b"), rf"\1.{CLEAN}:\2"),
    (re.compile(r"^((?:variants\.\d+\.against_baseline|control\.figures)\..*)\.floor$"), r"\1.detectable"),
    (re.compile(r"^(study\.left_out\.\d+)\.0$"), r"\1.target"),
    (re.compile(r"^(study\.left_out\.\d+)\.1$"), r"\1.reason"),
)


def validated_report(data: bytes, *, strict: bool = False) -> Report:
    """The report that the bytes hold, in either schema. Raises pydantic's ValidationError.

    `strict` = no value is converted, for a file that is not trusted.
    """
    if OLD.encode() in data:
        with suppress(ValueError, RecursionError):  # not JSON: validation gives the reason and its place
            data = json.dumps(upgraded(json.loads(data))).encode()
    return Report.model_validate_json(data, strict=strict)


def upgraded(document: Any) -> Any:
    """The document in schema 2. Anything that is not a report of schema 1 comes back as it is, to be judged as it is.

    Parts of another shape than schema 1 gives them are left alone: validation names them.
    """
    if not isinstance(document, dict) or document.get("schema") != OLD:
        return document
    new = {**document, "schema": NEW}
    new["variants"] = [_variant(each) for each in _rows(document.get("variants"))]
    new["metrics"] = [*_rows(document.get("metrics")), *_metrics(new["variants"], document.get("metrics"))]
    new["conclusions"] = [_conclusion(each) for each in _rows(document.get("conclusions"))]
    for name, change in (("study", _study), ("control", _control), ("calibration", _calibration)):
        if isinstance(document.get(name), dict):
            new[name] = change(document[name])
    return new


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _variant(old: Any) -> Any:
    if not isinstance(old, dict):
        return old
    new = {key: value for key, value in old.items() if key not in ("throughput", "latency")}
    of_load = {f"{CLEAN}:{key}": series for key, series in _table(old.get("latency")).items()}
    if old.get("throughput"):
        of_load = {THROUGHPUT: old["throughput"], **of_load}
    if of_load:
        new["figures"] = {**_table(old.get("figures")), **of_load}
    if "against_baseline" in old:
        against = _table(old["against_baseline"])
        new["against_baseline"] = {_key(key): _comparison(each) for key, each in against.items()}
    return new


def _key(old: str) -> str:
    """`throughput`, `latency:p99_us` and `p99_us` were all in use."""
    metric = old.removeprefix("latency:")
    return metric if ":" in metric else f"{CLEAN}:{metric}"


def _comparison(old: Any) -> Any:
    if not isinstance(old, dict):
        return old
    return {"detectable" if key == "floor" else key: value for key, value in old.items()}


def _metrics(variants: list[Any], known: Any) -> list[dict[str, Any]]:
    """Descriptions of the figures that schema 1 kept apart and therefore did not describe."""
    have = {each.get("key") for each in _rows(known) if isinstance(each, dict)}
    keys = [*BY_KEY, *_OTHER_LABELS]
    found = [key for key in keys if any(key in _table(_table(v).get("figures")) for v in variants)]
    return [_metric(key) for key in found if key not in have]


def _metric(key: str) -> dict[str, Any]:
    kind = BY_KEY.get(key)
    facts = {"key": key, "instrument": CLEAN, "profiler": CLEAN}
    if kind is None:
        return {**facts, "label": _OTHER_LABELS[key], "unit": "us"}
    return {**facts, "label": kind.label, "unit": kind.unit, "better": kind.better, "about": kind.about}


def _conclusion(old: Any) -> Any:
    if not isinstance(old, dict):
        return old
    return {**old, "rows": [_evidence(row) for row in _rows(old.get("rows"))]}


def _evidence(old: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(old.get("path"), str):
        return old
    path = old["path"]
    for pattern, place in _PATHS:
        path = pattern.sub(place, path)
    return {**old, "path": path}


def _study(old: dict[str, Any]) -> dict[str, Any]:
    left_out = [
        {"target": each[0], "reason": each[1]} if isinstance(each, list) and len(each) == 2 else each
        for each in _rows(old.get("left_out"))
    ]
    return {**old, "left_out": left_out} if "left_out" in old else old


def _control(old: dict[str, Any]) -> dict[str, Any]:
    return {**old, "figures": {key: _comparison(each) for key, each in _table(old.get("figures")).items()}}


def _calibration(old: dict[str, Any]) -> dict[str, Any]:
    return {**old, "sd": {OLD_KEYS.get(key, key): sd for key, sd in _table(old.get("sd")).items()}}
