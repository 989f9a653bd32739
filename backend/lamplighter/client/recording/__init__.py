"""The parts of `record`: the arguments of a step, their consistency, and the writing of steps."""
