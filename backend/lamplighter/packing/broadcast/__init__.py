"""A run as files that a host of static files gives to any number of viewers while it trains."""
