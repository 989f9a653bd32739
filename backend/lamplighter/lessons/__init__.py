"""The course: parts in text files, parsed into trees, and the numbers of a run that they name."""
