"""Who may do what: credentials and the access-control middleware."""
