"""A single HTML page that replays a run with no server and no network: its data, and its rendering."""
