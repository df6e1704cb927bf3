"""Load generators: one file each, all giving one LoadResult."""
