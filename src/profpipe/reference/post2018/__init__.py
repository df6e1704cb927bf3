"""The blog post of 2018 that profpipe grew from, compared statement by statement with a report of ours."""

from profpipe.reference.post2018.names import CargoProfiler
from profpipe.reference.post2018.table import Post2018

STUDY = Post2018()
NAME_STYLE = CargoProfiler()
