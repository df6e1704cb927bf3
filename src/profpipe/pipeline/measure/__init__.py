"""A study under way: its runs in rounds, and the run folder that keeps them."""
