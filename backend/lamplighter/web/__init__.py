"""The parts of the server that know nothing of training: HTTP, access, capacity, connections."""
