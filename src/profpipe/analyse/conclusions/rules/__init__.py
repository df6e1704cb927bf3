"""One rule a file: report tables in, conclusions out. A rule reads nothing but the report."""
