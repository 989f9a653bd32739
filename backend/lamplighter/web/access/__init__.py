"""Access control: credentials, and the middleware that decides who may do what."""
