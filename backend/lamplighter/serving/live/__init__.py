"""The live socket: the hub, viewers, their send queues, and the feeds that fill them."""
