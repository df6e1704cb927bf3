"""A hostile Content-Type of backslashes."""

import sys

from multipart.multipart import parse_options_header
from waitress import serve

HEADER = 'application/x-www-form-urlencoded; !="' + "\\" * 13


def app(_environ, start_response):
    kind, _ = parse_options_header(HEADER)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [kind]


serve(app, host="127.0.0.1", port=int(sys.argv[1]))
