"""Forks: runs whose step 0 is a step of another run, with something changed.

Nothing here imports torch: a fork is created by a server or the command line, and begun by its trainer
(`training/fork_start.py`).
"""
