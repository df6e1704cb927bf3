"""Profilers that run inside a Python server."""
