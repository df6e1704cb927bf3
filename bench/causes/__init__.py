"""Planted causes: which of the habits in targets/python-web does the report of a study name?"""
