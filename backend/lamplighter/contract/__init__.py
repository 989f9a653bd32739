"""What the rooms agree on: what a run is asked to be, what can be asked of its model and is answered, why a request is refused."""
