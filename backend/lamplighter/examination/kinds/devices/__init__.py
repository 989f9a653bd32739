"""The kind *devices*: one training step shared by two processes, and the bytes they exchange.

Only names are imported here: the processes set their limits before they import torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamplighter.contract.answers import DevicesAnswer
    from lamplighter.contract.questions import DevicesQuestion
    from lamplighter.examination.examined_model import ExaminedModel, ReportProgress


def examine(model: ExaminedModel, question: DevicesQuestion, report: ReportProgress) -> DevicesAnswer:
    from lamplighter.examination.kinds.devices import examination

    return examination.examine(model, question, report)
