"""history.html: the trends of a metric or a function."""
