"""The claims about learning that a run can be asked to prove, each with a number, its null and a state derived from both."""
