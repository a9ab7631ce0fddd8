"""Who sent a delivery: one verifier over declarative records, one for each scheme."""
