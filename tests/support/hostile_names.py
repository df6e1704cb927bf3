"""Names a profile may hold: page, comment and terminal must show each as text and do nothing else with it."""

from __future__ import annotations

import random

# What a script that got loose would do: the browser tests look for it.
CANARY = "window.pwned=1"
# Stands in every generated name, so that a walk over a document finds where they came to.
MARK = "zq9"
NAMES = (
    f"</script><script>{CANARY}</script>",
    f"<script>{CANARY}</script>",
    f'<img src=x onerror="{CANARY}">',
    f"<svg/onload={CANARY}>",
    f'"><img src=x onerror={CANARY}>',
    f"' onmouseover='{CANARY}",
    f'" onfocus="{CANARY}" autofocus="',
    "</style><style>*{display:none}</style>",
    "</title><h1>x</h1>",
    "</code></th></tr></table><h1>out</h1>",
    "<!--",
    "-->",
    "]]>",
    "<![CDATA[x]]>",
    "<!DOCTYPE html><plaintext>",
    "</textarea><iframe src=//evil.example>",
    f"javascript:{CANARY}",
    f"data:text/html,<script>{CANARY}</script>",
    "<a href=https://evil.example>click</a>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "{{7*7}}",
    "{% raw %}{% endblock %}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "__proto__",
    "constructor",
    "&lt;b&gt;&amp;&#x3c;",
    "a|b|c",
    "`code` ``two`` ```three",
    "![image](https://evil.example/p.png)",
    "[link](https://evil.example)",
    "[ref]: https://evil.example",
    "<https://evil.example>",
    "https://evil.example/path",
    "www.evil.example",
    "@octocat please look",
    "#1 GH-2 owner/repo#3 deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    "</details></summary><h1>out</h1>",
    "# heading",
    "- item\n- item\n\n# heading",
    "```\nfence\n```",
    "~~~",
    "\x1b[2J\x1b]0;title\x07\x1b[31mred",
    "\x00NUL\x01\x7f\x9b31m",
    "\u202egnp.exe\u2066\u2069",
    "zero\u200bwidth\ufeff\u00ad",
    "line\u2028sep\u2029arator",
    "\ud800lone",
    "[red]rich[/red] [link=https://evil.example]x[/link]",
    "Ünïcödé 函数 🦀",
    "operator<<",
    "core::fmt::Formatter<'_>::pad_integral::{closure#0}",
    "x" * 5000,
    "",
    " ",
    "\\",
    "trailing`",
    "`",
    "|",
)

_PIECES = (
    f"<script>{CANARY};document.title='pwned'</script>",
    f"<img src=x onerror={CANARY}>",
    f"<svg onload={CANARY}>",
    f"<a href='javascript:{CANARY}'>",
    f"' onmouseover={CANARY} x='",
    f'" style="position:fixed" onfocus={CANARY} autofocus="',
    "</script>",
    "</style>",
    "</title>",
    "</td></tr></table>",
    "<!--",
    "]]>",
    "</details>",
    "|",
    "`",
    "```",
    "@octocat",
    "#12",
    "![i](https://evil.example/p)",
    "[l](javascript:alert(1))",
    "{{7*7}}",
    "{% include 'x' %}",
    "&lt;&#60;",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\x1b[2J",
    "\x00",
    "\x07",
    "\r\n",
    "\u2028",
    "\U000e0041",
    "函数🦀",
    "a::b<'_>",
    "\\",
    "$(id)",
    "; rm -rf /",
    "%0d%0a",
    "=cmd()",
)


def generated(many: int) -> tuple[str, ...]:
    """Distinct names of one to six pieces each; every fiftieth has 10,000 characters. The same ones every time."""
    chosen = random.Random(20261126)
    found = []
    for number in range(many):
        name = f"{MARK}{number}" + "".join(chosen.choices(_PIECES, k=chosen.randint(1, 6)))
        found.append((name * (10_000 // len(name) + 1))[:10_000] if number % 50 == 0 else name)
    return tuple(found)
