"""Ratios taken side by side in one run: `python -m benchmarks NAME`, a JSON line each."""
