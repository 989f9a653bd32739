"""The kinds of questions, one file each: a function of the examined model and the question."""
