"""A file of 200 kB in a form, which begins with a carriage return and has no other."""

import sys
from io import BytesIO

from waitress import serve
from werkzeug.formparser import parse_form_data

FILE = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n\r' + 200_000 * b"a" + b"\r\n--x--\r\n"


def app(_environ, start_response):
    form = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
        "CONTENT_LENGTH": str(len(FILE)),
        "wsgi.input": BytesIO(FILE),
    }
    _, _, files = parse_form_data(form)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(len(files["f"].read())).encode()]


serve(app, host="127.0.0.1", port=int(sys.argv[1]))
