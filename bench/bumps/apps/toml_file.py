"""A file of forty tables, read for every request."""

import sys

import tomli
from waitress import serve

TABLES = "\n".join(f'[table{n}]\nname = "table {n}"\nports = [80, 443]\nratio = 0.5\non = true\n' for n in range(40))


def app(_environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(len(tomli.loads(TABLES))).encode()]


serve(app, host="127.0.0.1", port=int(sys.argv[1]))
