"""The history of reports: its folder of Parquet files, their rows, merging histories, querying trends."""
