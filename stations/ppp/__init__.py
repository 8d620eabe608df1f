"""Precise point positioning: from one station's observations and precise products to its solution."""
