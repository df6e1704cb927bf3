"""What fails a change: the rules, what they find in a report, and the regressions that were accepted."""
