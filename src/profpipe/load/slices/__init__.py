"""The client that loads several servers in slices: `python -m profpipe.load.slices`, one thread.

Each command is a line of JSON on stdin, each answer a line on stdout. It holds its connections to all servers open and
reads their CPU clocks itself, so that nothing lies between a clock and its slice. It shares a processor with the
servers: it imports httptools and the standard library alone.
"""
