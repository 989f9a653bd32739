"""The claims about learning that a run can be asked to prove: each with a value, its null, and the state
derived from them.
"""
