"""The catalog's tests: over the store in memory, with a clock and randomness that can be foreseen."""
