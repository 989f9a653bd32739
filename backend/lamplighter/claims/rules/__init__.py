"""The rules of the claims: each a pure function from evidence to a finding."""
