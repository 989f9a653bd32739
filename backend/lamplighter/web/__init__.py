"""The parts of the server that are independent of training: HTTP, access, capacity, connections."""
