"""The servers: their listening sockets and processes."""
