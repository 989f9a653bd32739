"""Quality of layouts: trust and scores."""
