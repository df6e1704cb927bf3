"""A JSON schema that is checked against its metaschema, whose references are dynamic."""

import sys

from jsonschema import Draft202012Validator
from waitress import serve

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "tags": {"items": {"type": "string"}}}}


def app(_environ, start_response):
    Draft202012Validator.check_schema(SCHEMA)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"good"]


serve(app, host="127.0.0.1", port=int(sys.argv[1]))
