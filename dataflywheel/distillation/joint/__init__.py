"""Models made smaller: structured pruning."""
