"""The history of reports: Parquet files, their rows, joining them, and questions to them."""
