"""A report for people: as a page, as a comment, in the terminal; and the page of a history."""
