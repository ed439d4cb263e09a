"""The catalog's tests: over the store in memory, with a clock that stands still."""
