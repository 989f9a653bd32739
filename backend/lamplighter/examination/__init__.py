"""The examiner: opens any step of a run, computes it again, and lets the model speak."""
