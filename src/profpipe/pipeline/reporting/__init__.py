"""From a run folder to its report files, without a server."""
