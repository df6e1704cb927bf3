"""The life of a server process: build, start, readiness, placement, usage, end."""
