"""A finished report on its pull request."""
