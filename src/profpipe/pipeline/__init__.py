"""The stages in order; the only room that sees every stage. Each stage reads files and writes files."""
