"""One HTML page that replays a run with no server and no network: what goes into it, and the page itself."""
