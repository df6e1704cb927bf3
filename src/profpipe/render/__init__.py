"""Report -> text: view data first, then HTML, Markdown and the terminal."""
