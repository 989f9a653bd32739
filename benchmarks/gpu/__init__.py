"""Checks that need a graphics card, in one command: `make gpu`."""
