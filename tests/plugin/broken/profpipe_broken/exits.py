"""Ends the interpreter when it is imported, if it is let."""

raise SystemExit(3)
