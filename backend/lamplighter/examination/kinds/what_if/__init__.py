"""The kind *what if*: a copy of the model is trained on one sentence, and then on the run's own text again.

Only a model that has learned to speak learns the sentence; the answer lists other statements that change with
it.
"""

from lamplighter.examination.kinds.what_if.examination import examine

__all__ = ["examine"]
