"""The beats of a run: what the class is sent of it, made once and shared by all."""
