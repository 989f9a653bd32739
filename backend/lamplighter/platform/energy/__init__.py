"""The energy that a process' work takes, by the best means that a machine has."""
