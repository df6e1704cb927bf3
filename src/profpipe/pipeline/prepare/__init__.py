"""A study before its first run: which targets and instruments work here, and every run in order."""
