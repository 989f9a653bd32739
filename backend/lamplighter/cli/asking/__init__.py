"""Commands that ask a run something: its model, its claims, its lessons, another run, or a step."""
