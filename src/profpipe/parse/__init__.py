"""Readers: one file per format, each giving a checked Profile. Nothing here runs or unpickles what it reads."""
