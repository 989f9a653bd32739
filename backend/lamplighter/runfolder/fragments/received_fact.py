"""The fact in a received record that tells how far its fragments have been read."""

RECEIVED_FACT = "received"
