"""Tests of several nodes on one PostgreSQL database: real processes, real failures."""
