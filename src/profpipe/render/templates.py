"""Where the templates are, and how a page inlines its script and style: admitted by their hash, nothing else runs."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from profpipe.errors import ReportError

PAGE = "report.html.j2"


def templates_folder() -> Path:
    """Where the templates are: in the installed package, else next to `src` in a checkout.

    An editable install has no copy of its own, its package folder is in the checkout. Raises ReportError.
    """
    package = Path(str(files("profpipe")))
    places = (package / "templates", package.parent.parent / "templates")
    for place in places:
        if (place / PAGE).is_file():
            return place
    looked = " nor ".join(str(place) for place in places)
    raise ReportError(f"{PAGE} is in neither {looked}: install profpipe again")


def unbroken(text: str) -> str:
    """A figure stays on one line with its unit: "11.0 µs", "5 %"."""
    return re.sub(r"(?<=\d) (?=(?:[nµm]?s|%|[KMG]?i?B)\b|%)", "\u00a0", text)


@lru_cache(maxsize=4)
def environment(folder: Path) -> Environment:
    """Autoescape on, an undefined name is an error, blocks leave no blank lines."""
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["unbroken"] = unbroken
    return made


def hash_source(text: str) -> str:
    """A CSP source expression for an inlined script or style."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def policy(script: str, style: str) -> str:
    """Nothing is loaded, nothing is sent; the one script and the one style are known by their content."""
    return (
        f"default-src 'none'; script-src {hash_source(script)}; style-src {hash_source(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def asset(folder: Path, name: str) -> str:
    """A built asset, as inlined: it must not be able to end its own element."""
    try:
        text = (folder / "assets" / name).read_text(encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{folder / 'assets' / name}: {error.strerror}; run `npm run build` in frontend/") from error
    if "</script" in text.lower() or "</style" in text.lower():
        raise ReportError(f"{name} holds an end tag and cannot be inlined; build frontend/ again")
    return text


def inlined(folder: Path, page: str) -> dict[str, str]:
    """What the template of a page inlines: its `script`, its `style`, and the `policy` that admits only these two."""
    script, style = asset(folder, f"{page}.js"), asset(folder, f"{page}.css")
    return {"policy": policy(script, style), "script": Markup(script), "style": Markup(style)}
