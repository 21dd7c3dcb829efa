"""Judges: which answer is better, how far that can be believed, and what the judge is worth against people."""
