"""302 rules with a variable part; the last one is matched."""

import sys

from waitress import serve
from werkzeug.routing import Map, Rule

RULES = Map([Rule(f"/part{number}/<key>/edit", endpoint=str(number)) for number in range(302)])
ADAPTER = RULES.bind("localhost")
ADAPTER.match("/part0/x/edit")


def app(_environ, start_response):
    endpoint, values = ADAPTER.match("/part301/x/edit")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{endpoint} {values['key']}".encode()]


serve(app, host="127.0.0.1", port=int(sys.argv[1]))
