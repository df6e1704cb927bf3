"""Attaching a rendered report to a pull request."""
