"""Maps of a large vocabulary, of which landmarks are laid out and the others placed by them."""
