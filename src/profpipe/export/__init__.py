"""Profile -> bytes of another tool's format."""
