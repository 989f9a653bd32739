"""`lamplighter.watch` as a callback of the trainers that people use. Each imports its trainer, and nothing else does."""
