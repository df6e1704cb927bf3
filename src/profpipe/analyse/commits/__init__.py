"""Two commits of one program: matched functions, moved cost, changed lines."""
