"""Parts of every kind for profpipe that cannot be used."""
