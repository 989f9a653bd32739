"""The servers: the listening sockets, and the processes that they look after."""
