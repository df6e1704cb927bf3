"""The tables and graphs of a report."""
