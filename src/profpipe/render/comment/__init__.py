"""The comment for a pull request."""
