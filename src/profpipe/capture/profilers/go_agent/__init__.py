"""Profilers that run inside a Go server, whose program is built once more with one file added."""
