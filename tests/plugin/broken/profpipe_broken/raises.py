"""Fails when it is imported."""

raise RuntimeError("this plug-in needs a newer machine")
