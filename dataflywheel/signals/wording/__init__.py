"""What a text states by its wording: numbers with units, names, negation, code, links, options, and their order."""
