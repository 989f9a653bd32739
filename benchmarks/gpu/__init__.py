"""What only a machine with a graphics card can tell, in one command: `make gpu`."""
