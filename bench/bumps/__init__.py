"""Documented bumps of a dependency: does `profpipe diff --bump` come to the verdict of the package's own changelog?"""
