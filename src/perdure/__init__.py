"""Perdure: durable functions. The public names of the SDK live here."""
