"""The kind *what if*: a copy of the model is trained on one sentence, and then on the run's own text again.

The record stays unchanged. Only a model that has learned to speak learns the sentence, and other statements
change with it: the answer lists them.
"""

from lamplighter.examination.kinds.what_if.examination import examine

__all__ = ["examine"]
