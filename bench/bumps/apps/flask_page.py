"""A Flask page that signs nothing."""

import sys

from flask import Flask
from waitress import serve

app = Flask(__name__)


@app.route("/")
def page():
    return ", ".join(f"item {number}" for number in range(200))


serve(app, host="127.0.0.1", port=int(sys.argv[1]))
