"""report.html: a file per section, each with its `SECTION`."""
