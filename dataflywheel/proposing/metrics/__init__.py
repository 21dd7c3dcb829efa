"""Metrics that need nothing but an answer and its row."""
