"""The command `lamplighter publish`, and the addresses of stores."""
