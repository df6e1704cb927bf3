"""Sentences computed from a report by rules."""
