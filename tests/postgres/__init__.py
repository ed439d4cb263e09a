"""Faults of PostgreSQL under load, with servers of their own (K4, G1, G2, G3)."""
