"""report.html: one file per section."""
