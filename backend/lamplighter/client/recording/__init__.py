"""What `record` is made of: what a loop gives, what of it is of the same step, and what is written."""
