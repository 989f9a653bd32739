"""Kindred words of Lamptown that everybody knows: of a pet, of a quantity, of a feeling."""

KINDRED = (("dog", "cat"), ("gravity", "mass"), ("joy", "happiness"))
