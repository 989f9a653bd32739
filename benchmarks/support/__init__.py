"""Help for benchmarks: runs to measure on, page sizes, the report with its goals."""
