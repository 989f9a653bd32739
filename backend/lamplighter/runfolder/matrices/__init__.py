"""Matrices in files of their own: safetensors, read by rows."""
