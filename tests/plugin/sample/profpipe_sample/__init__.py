"""One part of each kind for profpipe. Each module is the worked example of a page in docs/extend."""
