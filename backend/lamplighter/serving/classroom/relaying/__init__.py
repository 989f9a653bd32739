"""A class on one server, watched through others: its owner, and the relays that serve its pages to more phones."""
