"""Follows no protocol."""

NUMBER = 7
