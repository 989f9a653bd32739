"""A run trained by several processes: process 0 trains and records it as ever, the others share the work of each step."""
