"""Support for benchmarks: runs to measure, page sizes, the report with its goals."""
