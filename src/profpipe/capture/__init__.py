"""A server's life under one profiler: start, ready, warm up, window, save, stop; and what machine this is."""
