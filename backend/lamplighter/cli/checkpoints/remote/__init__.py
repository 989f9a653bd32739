"""Checkpoints of the Hugging Face Hub and of folders on the web, of which only one tensor is read, by HTTP range."""
