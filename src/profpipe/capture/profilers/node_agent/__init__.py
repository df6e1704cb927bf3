"""Profilers that run inside a Node server, which loads them before its first line."""
