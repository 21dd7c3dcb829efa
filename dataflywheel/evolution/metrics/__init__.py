"""Metrics that read the model itself, and the one place where metrics are found by name."""
