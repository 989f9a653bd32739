"""Benchmarks that measure both sides in one run: `python -m benchmarks NAME`, one JSON line per figure."""
