"""Profiles of many runs -> one Report: names, categories, hotspots, noise, comparison, conclusions."""
