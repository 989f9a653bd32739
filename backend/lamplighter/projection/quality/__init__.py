"""How far a layout can be trusted, and how layouts are scored."""
