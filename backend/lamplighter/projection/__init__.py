"""Layouts of the tokens: the map and the linear view. The only package that imports umap."""
