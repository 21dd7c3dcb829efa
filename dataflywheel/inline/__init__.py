"""Any signal, selector, gate or judge on rows as Python has them; what comes back explains itself."""
