"""The limits on connections: their number, their time and the data that they send."""
