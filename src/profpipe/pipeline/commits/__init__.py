"""Several commits, or one target against itself, as the variants of a study: diff, bisect, calibrate."""
