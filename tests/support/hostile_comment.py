"""A report of a thousand hostile names, and the check that a comment shows them as text and as nothing else."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from profpipe.model.report import Report
from tests.support.hostile_names import NAMES
from tests.support.sample_commits import HEAD, pull_request_document

MARKDOWN = MarkdownIt("gfm-like", {"html": True, "linkify": False})


# The tags our own text may hold; `code` carries names with a pipe.
TAGS = {"details", "summary", "code"}


# What a forge reads in text after Markdown is done: mentions, references, bare links, hashes, emoji, short forms.
ACTED_ON = (
    r"@\w",
    r"[#!]\d",
    r"\bGH-\d",
    r"\w://",
    r"\bwww\.",
    r"\bmailto:\w",
    r":[\w+-]+:",
    r"(?<![\w.,])(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b",
    r"[~$^&%]\w",
    r"\b[A-Z][A-Z0-9]+-\d",
)


PARTS = (
    *(
        "`",
        "``",
        "```",
        "|",
        "\\",
        "\\|",
        "*",
        "**",
        "_",
        "~~",
        "<b>",
        "</details>",
        "</td>",
        "<!--",
        "-->",
        "<img src=x>",
    ),
    *(
        "/close",
        "@octocat",
        "@org/team",
        "#12",
        "o/r#3",
        "GH-7",
        "!5",
        "%3",
        "~label",
        "$1",
        "&2",
        "^alert#1",
        "PROJ-9",
        ":rocket:",
    ),
    *("https://evil.example/x", "www.evil.example", "mailto:a@b.example", "[a](https://evil.example)", "![i](//evil)"),
    *(
        "[x]: https://evil.example",
        "deadbeefcafe1234",
        "core::key::Value<'_>",
        "# h",
        "- i",
        "1. n",
        "> q",
        "&amp;",
        "&#64;o",
    ),
    *(
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
        "\x00",
        "\x1b[31m",
        "\r\n",
        "\n\n",
        "\t",
        "\u2028",
        "\u00ad",
        "\U000e0041",
    ),
    *("x", "fn", "operator()", "Ünïcödé", "函数", "🦀", " ", "$$x$$", "<a href=//e>", "{{7*7}}", "\ufe0f", "ｗｗｗ．e"),
)


def generated(count: int, seed: int) -> list[str]:
    """Names of one to twelve parts; every hundredth is 10,000 characters long."""
    rng = random.Random(seed)
    names = [name for name in NAMES if "\ud800" not in name]
    while len(names) < count:
        name = "".join(rng.choice(PARTS) for _ in range(rng.randint(1, 12)))
        names.append((name * 10_000)[:10_000] if len(names) % 100 == 0 else name)
    return names[:count]


THOUSAND = generated(1000, 20261126)


def hostile(names: list[str]) -> Report:
    """The names as functions, files, variants, branches, commit subjects and argv, and in all words of the report."""
    data: dict[str, Any] = pull_request_document()
    take = itertools.cycle(names)
    for variant in data["variants"]:
        variant |= {"label": next(take), "command": [next(take) for _ in range(5)], "notes": [next(take)]}
        if variant.get("commit"):
            variant["commit"] = {**variant["commit"], "ref": next(take), "subject": next(take), "commit": next(take)}
    rows = data["hotspots"][0]["rows"]
    model = rows[0]["functions"][0]
    rows[0]["functions"] = [
        {
            **model,
            "id": f"h{i}",
            "function": {"name": name, "file": next(take), "object": next(take), "raw": [name]},
            "alignment": {HEAD: {"before": {"name": next(take)}, "certainty": "likely", "why": next(take)}},
            "changes": {HEAD: [{"file": next(take), "added": [[1, 2]], "lines": 2}]},
        }
        for i, name in enumerate(names)
    ]
    study = ("id", "question", "load", "placement", "command")
    data["study"] |= {key: next(take) for key in study} | {"left_out": [{"target": next(take), "reason": next(take)}]}
    data["environment"] = {key: next(take) for key in ("CPU", "kernel", "commit")} | {next(take): next(take)}
    data["conclusions"] = [
        {"id": f"c{i}", "rule": "r", "text": next(take), "certainty": "hint", "kind": kind, "weight": i}
        for i, kind in enumerate(
            ("verdict", "verdict", "cause", "cause", "cause", "not-the-cause", "caution", "caution")
        )
    ]
    data["gate"] = {"asked": [next(take)], "failed": True, "hits": [next(take), next(take)]}
    data["invalid"] = [
        {"variant": next(take), "profiler": next(take), "round": 1, "phase": next(take), "reason": next(take)}
        for _ in range(10)
    ]
    data["limits"] = [{"profiler": next(take), "text": next(take)} for _ in range(10)]
    data["metrics"] = [m | {"label": m["label"] + next(take), "about": next(take)} for m in data["metrics"]]
    data["categories"] = [c | {"label": next(take)} for c in data["categories"]]
    data["classic"][0]["rows"] = [{"value": 9, "share": 0.1, "place": next(take)} for _ in range(40)]
    return Report.model_validate(data)


def texts(comment: str) -> list[str]:
    """All text outside code, as a forge sees it after Markdown; asserts that nothing else came out."""
    found: list[str] = []

    def walk(tokens: list[Token]) -> None:
        inside = False
        for token in tokens:
            if token.type in ("html_inline", "html_block"):
                tags = re.findall(r"</?([a-z]+)", token.content)
                assert set(tags) <= TAGS, token.content
                assert not re.search(r"<!|=", token.content), token.content
                for tag in re.findall(r"</?code", token.content):
                    inside = tag == "<code"
            elif token.type == "text" and not inside:
                found.append(token.content)
            assert token.type not in ("link_open", "image", "heading_open", "blockquote_open", "hr", "s_open"), token
            walk(token.children or [])

    walk(MARKDOWN.parse(comment))
    return found


def check(comment: str) -> None:
    for text in texts(comment):
        for pattern in ACTED_ON:
            assert not re.search(pattern, text), (pattern, text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\u00ad]", comment)
    assert not re.search(r"(?m)^\s*(?:/\w|::)", comment)
    rendered = MARKDOWN.render(comment)
    for tag in ("details", "summary", "code", "table", "tr", "td"):
        assert rendered.count(f"<{tag}>") + rendered.count(f"<{tag} ") == rendered.count(f"</{tag}>"), tag
    widths = [
        {row.count("<td") for row in re.findall(r"<tr>(.*?)</tr>", body, re.S)}
        for body in re.findall(r"<tbody>(.*?)</tbody>", rendered, re.S)
    ]
    assert all(len(width) == 1 for width in widths), widths
