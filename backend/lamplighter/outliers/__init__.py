"""Training steps that stand out from those around them, and what was in them."""
