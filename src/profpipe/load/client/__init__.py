"""The built-in generator's own process: `python -m profpipe.load.client`.

It shares a processor with the server it measures, so it imports asyncio, httptools and the plain records alone.
"""
