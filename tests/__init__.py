"""Everything that must hold, shown."""
