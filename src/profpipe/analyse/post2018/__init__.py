"""The study of 2018 that profpipe grew from, line by line, beside what this report measured."""

from profpipe.analyse.post2018.table import OTHER_STUDY, pasted_texts, seed_table

__all__ = ["OTHER_STUDY", "pasted_texts", "seed_table"]
