"""Proofs in Lean 4: what a row states, the file that Lean is given, and what comes of it."""
