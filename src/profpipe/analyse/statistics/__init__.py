"""Medians, intervals, tests and levels: how sure a difference is."""
