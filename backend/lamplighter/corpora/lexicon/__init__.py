"""The words and sentences of Lamptown, as text files that read like a primer's word lists."""
