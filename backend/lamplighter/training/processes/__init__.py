"""A run trained by several processes: process 0 keeps the record, the others do what it tells them."""
