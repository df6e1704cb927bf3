"""profpipe: what a server variant costs per request, in which functions, why, and how sure that is."""

__version__ = "0.1.0"
