"""Where things are in the checkout: the only place of the tests that counts folders upward."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "profpipe"
TARGETS = ROOT / "targets"
TEMPLATES = ROOT / "templates"
DOCS = ROOT / "docs"
FRONTEND = ROOT / "frontend"
EXAMPLES = ROOT / "reports" / "examples"
SCREENSHOTS = ROOT / "build" / "screenshots"
REPORT_SCHEMA = SRC / "model" / "report.schema.json"

TESTS = ROOT / "tests"
DATA = TESTS / "data"
GOLDEN = TESTS / "golden"
SERVERS = TESTS / "servers"
DEMO = TESTS / "demo"
FORGE = TESTS / "forge"
SAMPLE_REPORT = DATA / "analyse" / "sample-report.json"
