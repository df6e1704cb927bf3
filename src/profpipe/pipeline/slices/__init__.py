"""Measuring without a profiler: starts of all variants side by side, loaded in slices."""
