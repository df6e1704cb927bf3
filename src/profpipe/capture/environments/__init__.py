"""Environments of one commit: what a server needs besides its checkout, made from the commit's own lock file."""
