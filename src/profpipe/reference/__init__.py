"""Published studies, compared with a run of ours statement by statement."""
