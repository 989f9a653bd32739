"""The energy that a process takes, by the best method available on the machine."""
