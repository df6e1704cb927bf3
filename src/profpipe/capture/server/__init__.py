"""The life of a server process: requirements, build, start, readiness, placement, usage, end."""
