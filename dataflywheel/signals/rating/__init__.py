"""Signals that ask a model: each row is a question, each value has its cost beside it."""
