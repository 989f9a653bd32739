"""HTTP plumbing: the route table, negotiation, caching, streaming, problems."""
