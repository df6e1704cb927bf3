"""The blog post of 2018 that profpipe grew from, statement by statement, beside what a report of ours measured."""

from profpipe.reference.interface import NameStyle
from profpipe.reference.post2018.names import cargo_profiler_list, cargo_profiler_name
from profpipe.reference.post2018.table import Post2018

STUDY = Post2018()
NAME_STYLE = NameStyle(cargo_profiler_name, cargo_profiler_list)
