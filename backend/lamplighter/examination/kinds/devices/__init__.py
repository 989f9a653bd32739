"""The kind *devices*: one training step shared by two processes, and the bytes that they send one another.

Nothing is imported here: the processes set their limits before they import torch.
"""
