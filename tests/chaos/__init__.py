"""The service under kills, and under numbers."""
