"""The course: parts in text files, parsed into trees, and the run's numbers that they name."""
