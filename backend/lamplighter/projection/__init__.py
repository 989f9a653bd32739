"""Where the tokens lie on the map; the only room with umap."""
