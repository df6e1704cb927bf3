"""Forty links of a page, joined with its address."""

import sys

from waitress import serve
from yarl import URL

PAGE = URL("https://example.com/shop/list?page=2")


def app(_environ, start_response):
    links = [PAGE / f"item{number}" % {"page": "2", "sort": "price"} for number in range(40)]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["\n".join(map(str, links)).encode()]


serve(app, host="127.0.0.1", port=int(sys.argv[1]))
