"""Reasons for refusing a request: codes with values.

The page has the text for each (`frontend/src/strings/failures.ts`), where it does not use the English detail
as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ReasonCode = Literal[
    # A question to the model.
    "recorded_elsewhere",
    "run_not_begun",
    "step_not_reached",
    "question_too_long",
    "unknown_words",
    "no_words",
    "too_many_words",
    "too_few_words",
    "one_word_wanted",
    "nothing_changed",
    "too_many_questions",
    "imported_run_takes",
    "out_of_range",
    "step_not_finite",
    "sentence_too_long",
    "rows_too_long",
    "nothing_to_replace",
    "matrix_not_kept",
    "batch_of_one",
    "model_too_large",
    "no_shared_step",
    # The difference between two runs.
    "no_common_step",
    "no_common_words",
    "too_large_to_compare",
    # An answer that failed.
    "processes_failed",
    "answer_not_finite",
    "answer_too_large",
    "too_little_memory",
    "tried_too_often",
    "no_room_for_answer",
    "run_unreadable",
    # A request to a run.
    "takes_no_requests",
    "already_continuing",
    "run_is_over",
    "run_is_not_over",
    "too_many_runs",
    # A text of the user's own.
    "upload_gone",
    "text_too_large",
    "text_not_plain",
    "text_empty",
    "text_too_short",
    # A file to be made.
    "server_stopping",
    "too_many_exports",
    "disk_nearly_full",
    "disk_full",
    "export_gone",
    "laid_out_already",
    # A question to a class.
    "nothing_left_to_predict",
    "run_ends_before",
    "no_snapshot_since",
    # A class.
    "class_not_listening",
    # Any request.
    "server_busy",
]
ReasonValues = dict[str, int | float | str]


@dataclass(frozen=True)
class Reason:
    """A reason's code, with the values its text needs."""

    code: ReasonCode
    values: ReasonValues = field(default_factory=ReasonValues)


def give_reason(code: ReasonCode, **values: int | float | str) -> Reason:
    """Return a reason with its values."""
    return Reason(code, values)
