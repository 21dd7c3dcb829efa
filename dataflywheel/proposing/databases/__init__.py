"""Copies of a user's tables, queries that are run on them, and results that are compared."""
