"""The kind *what if*: a copy of the model is trained on one sentence, and then on the run's own text again.

The record stays as it is. A model believes a sentence only once it can speak, and then others are believed with it: the
answer lists them.
"""

from lamplighter.examination.kinds.what_if.examination import examine

__all__ = ["examine"]
