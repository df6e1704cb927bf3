"""Planted causes: which habit of a server in targets/ does the report of its study name?"""
