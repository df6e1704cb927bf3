"""One file or folder per profiler."""
