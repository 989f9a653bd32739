"""The messages of a server to a person, as codes with values: reasons for refusing a request, and the sentences of runs and
workers (`sentences.py`).

The page has the text for each (`frontend/src/strings/failures.ts`). In English it uses the server's sentence as it is
where it has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from typing_extensions import TypeAliasType

ReasonCode = TypeAliasType(
    "ReasonCode",
    Literal[
        # A question to the model.
        "recorded_elsewhere",
        "sampled_softmax",
        "run_not_begun",
        "step_not_reached",
        "question_too_long",
        "unknown_words",
        "no_words",
        "too_many_words",
        "too_few_words",
        "one_word_wanted",
        "no_row_named",
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
        "run_is_published",
        "store_silent",
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
        "fields_refused",
        # What the examiner is doing.
        "opening_model",
        "recomputing_step",
        "joining_batches",
        "trying_rule",
        "large_matrix",
        "step_after",
        "trying_rate",
        "reading_groups",
        "one_process",
        "two_processes",
        "training_elsewhere",
        "training_at_home",
        "taking_step",
        "reading_before_after",
        "recomputing_number",
        "reading_attention",
        "reading_words",
        "turning_space",
        "comparing_neighbours",
        "comparing_classes",
        "asking_model",
        "speaking",
        "choosing_words",
        "reading_replaced",
        "replacing_matrix",
        "replacing_row",
        "measuring_loss",
        "training_sentence",
        "training_own_text",
        # Events of a run.
        "recorded_loop",
        "stopped",
        "steps_done",
        "steps_recorded",
        "loop_stopped",
        "not_recorded_after",
        "rate_changed",
        "attempt_continues",
        "attempt_differs",
        "attempt_lost",
        "fragments_missing",
        "checkpoint_written",
        "checkpoint_failed",
        "checkpoint_replaced",
        "waypoint_failed",
        "disk_paused",
        "disk_room",
        "disk_waited",
        "budget_keyframes",
        "budget_series",
        "budget_none",
        "budget_scalars",
        "dense_steps",
        "fork_differs",
        "fork_optimiser",
        "fork_unknown_words",
        "fork_new_words",
        # Events of a recorded loop.
        "loss_named",
        "gradients_as_used",
        "gradients_before_clipping",
        "gradient_is_late",
        "gradient_of_other_ids",
        "gradient_of_unmoved",
        "moved_is_late",
        # Why a run failed.
        "loss_not_finite",
        "training_no_memory",
        "start_lost",
        # Why there is no map of the output matrix.
        "output_tied",
        "output_not_recorded",
        "output_not_kept",
        "output_kept_since",
        "output_few_states",
        # Why a file or a map could not be made.
        "export_not_begun",
        "export_unreadable",
        "export_no_step",
        "export_failed",
        "export_no_room",
        "no_memory_for_it",
        "export_killed",
        "export_ended",
        "export_too_large",
        "export_no_map",
        "page_not_built",
        "import_no_zip",
        "import_too_large",
        "import_under_way",
        "import_ended",
        "map_not_begun",
        "map_not_over",
        "map_few_steps",
        "map_not_finite",
        "map_not_saved",
        "map_no_room",
        "map_ended",
        # What is not there, or cannot be done now.
        "no_such_run",
        "no_such_set",
        "run_moved",
        "run_is_trained",
        "run_may_be_trained",
        "set_is_open",
        "set_is_swept",
        "run_without_steps",
        "run_without_tokens",
        "run_without_claims",
        "run_without_numbers",
        "run_lost_text",
        "other_user",
        "attempt_began",
        "no_such_token",
        "step_not_recorded",
        "not_kept_exactly",
        "none_kept_exactly",
        "no_layout",
        "no_districts",
        "no_such_part",
        "no_such_session",
        "no_process",
        "export_not_started",
        "export_unfinished",
        "export_without_file",
        # A set.
        "set_unreadable",
        "set_without_word",
        "set_without_two",
        "set_not_begun",
        "set_without_group",
        # A fork.
        "fork_unchanged",
        "fork_frozen_rate",
        "fork_tied_rate",
        "fork_shuffled_town",
        "fork_shuffled_other",
        "fork_planted_rows",
        "fork_planted_text",
        "fork_without_text",
        "fork_text_not_kept",
        "fork_nothing_kept",
        "fork_too_far",
        "fork_attempt",
        # A class.
        "class_closed",
        "class_wrong_code",
        "class_wrong_codes",
        "class_is_away",
        "class_is_full",
        "class_not_started",
        "no_such_viewer",
        "no_question",
    ],
)
ReasonValues = dict[str, int | float | str]


@dataclass(frozen=True)
class Reason:
    """A reason's code, with the values its text needs."""

    code: ReasonCode
    values: ReasonValues = field(default_factory=ReasonValues)


def give_reason(code: ReasonCode, **values: int | float | str) -> Reason:
    """Return a reason with its values."""
    return Reason(code, values)
