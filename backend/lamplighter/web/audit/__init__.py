"""The bounded log of changes made through a server, and of the number of refusals."""
