"""The examiner: recomputes any step of a run, and answers questions about its model."""
