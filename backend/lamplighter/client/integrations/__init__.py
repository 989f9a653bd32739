"""`lamplighter.watch` as a callback of common trainers. Only the callback's module imports its trainer."""
