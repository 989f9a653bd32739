"""Common kindred words of Lamptown: pets, quantities, feelings."""

KINDRED = (("dog", "cat"), ("gravity", "mass"), ("joy", "happiness"))
