"""Corpora: text in, token ids out."""
