"""Studies that others published, set beside a run of ours line by line. The seam is interface.py."""
