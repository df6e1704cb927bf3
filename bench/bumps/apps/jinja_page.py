"""A page of sixty rows, every value escaped."""

import sys

from jinja2 import DictLoader, Environment
from waitress import serve

PAGE = "<ul>{% for row in rows %}<li class='{{ row.kind }}'>{{ row.text }}</li>{% endfor %}</ul>"
ROWS = [{"kind": "item", "text": f"item {number} with a description"} for number in range(60)]
PAGES = Environment(loader=DictLoader({"page": PAGE}), autoescape=True)


def app(_environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html")])
    return [PAGES.get_template("page").render(rows=ROWS).encode()]


serve(app, host="127.0.0.1", port=int(sys.argv[1]))
