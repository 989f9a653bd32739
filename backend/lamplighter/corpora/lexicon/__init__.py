"""The words and sentences of Lamptown, as readable text files."""
