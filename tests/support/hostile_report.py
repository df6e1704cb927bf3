"""A report in which every text that a profile, a config or a log can write is hostile."""

from __future__ import annotations

from typing import Any

from profpipe.model.report import Report
from tests.support.hostile_names import NAMES
from tests.support.sample_report import document


def hostile(names: tuple[str, ...] = NAMES) -> Report:
    """Every place of a report that a profile, a config, a command line or a log can write to holds every name."""
    data: dict[str, Any] = document()
    model = data["hotspots"][0]["rows"][0]["functions"][0]
    functions = [
        {
            **model,
            "id": f"h{i}",
            "function": {"name": name, "file": name, "object": name, "runtime": "native", "raw": [name, name]},
            "callers": {"threads": [[name, 1.0]]},
            "callees": {"threads": [[name, 1.0]]},
        }
        for i, name in enumerate(names)
    ]
    # A category shows forty functions.
    data["hotspots"][0]["rows"][0]["functions"] = functions[:30]
    data["hotspots"][0]["rows"][1]["functions"] = functions[30:]
    many = list(names)
    data["classic"][0]["rows"] = [{"value": 1000 - i, "share": 0.01, "place": n} for i, n in enumerate(many)]
    data["flames"][0]["names"] = (data["flames"][0]["names"] + many)[: 38 + len(many)]
    data["flames"][0]["name_kind"] = [0] * len(data["flames"][0]["names"])
    for i in range(len(many)):
        data["flames"][0]["function"][1 + i] = 38 + i
    joined = " ".join(many[:53])
    data["study"] |= {"id": joined, "question": joined, "load": joined, "placement": joined, "command": joined}
    data["study"]["left_out"] = [{"target": name, "reason": name} for name in many]
    data["environment"] = {name: name for name in many}
    data["invalid"] = [
        {"variant": n, "profiler": n, "round": 1, "phase": n, "reason": n, "log_tail": [n, n]} for n in many
    ]
    data["limits"] = [{"profiler": name, "text": name} for name in many]
    data["limits"] += [{"profiler": "callgrind", "text": name} for name in many]
    data["conclusions"] += [
        {"id": n, "rule": n, "text": n, "certainty": "hint", "rows": [{"path": n, "value": n}]} for n in many
    ]
    first = data["variants"][0]
    first |= {"label": joined, "command": many, "language": joined, "notes": many}
    first["figures"] = {**first["figures"], **{name: {"median": 1.0} for name in many if name}}
    data["variants"][2] |= {"valid": False, "why": joined}
    data["runs"][0] |= {"valid": False, "why": joined, "warnings": many}
    data["created"] = joined
    data["categories"] += [{"key": name, "label": name, "about": name} for name in many]
    return Report.model_validate(data)


# pydantic refuses lone surrogates in text, so such a name cannot come this far; `visible` is still asked about it.
REACHING = tuple(name for name in NAMES if "\ud800" not in name)
