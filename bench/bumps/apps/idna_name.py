"""A hostile host name of 600 Arabic digits, which is refused."""

import sys

import idna
from waitress import serve

NAME = "\u0660" * 600


def app(_environ, start_response):
    try:
        answer = idna.encode(NAME)
    except idna.IDNAError as error:
        answer = str(type(error)).encode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer]


serve(app, host="127.0.0.1", port=int(sys.argv[1]))
