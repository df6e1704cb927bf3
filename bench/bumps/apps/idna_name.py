"""A hostile host name of 300 joiners between letters that do not join: each looks through the whole name."""

import sys

import idna
from waitress import serve

NAME = "\u0628" + "\u0627\u200c" * 300 + "\u0628"


def app(_environ, start_response):
    try:
        answer = idna.encode(NAME)
    except idna.IDNAError as error:
        answer = str(type(error)).encode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer]


serve(app, host="127.0.0.1", port=int(sys.argv[1]))
