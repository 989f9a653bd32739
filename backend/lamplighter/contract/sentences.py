"""The English sentences of a run and its workers: each is written here once, below its code.

A run folder, a log and a terminal hold the sentence. A server recognises it and sends the code and the values too,
so that the page has it in each of its languages; runs that are older than a code have it as well.
"""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache
from string import Formatter

from lamplighter.contract.reason import Reason, ReasonCode

SENTENCES: dict[ReasonCode, str] = {
    # What the examiner is doing.
    "opening_model": "opening the model",
    "recomputing_step": "recomputing step {step:,}",
    "joining_batches": "joining batches of {tokens:,} tokens",
    "trying_rule": "taking step {step:d} of {steps:d} with {rule}",
    "large_matrix": "taking steps with a matrix of {rows:,} rows",
    "step_after": "taking step {step:d} of {steps:d} after {place:,}",
    "trying_rate": "training with {optimiser} at {rate:g}, step {step:d}",
    "reading_groups": "reading frequent and rare words",
    "one_process": "computing the step in one process",
    "two_processes": "two processes share the step",
    "training_elsewhere": "training in another town, step {step:,}",
    "training_at_home": "training in its own town, step {step:,}",
    "taking_step": "taking the step again",
    "reading_before_after": "reading before and after",
    "recomputing_number": "recomputing one number",
    "reading_attention": "reading the attention of step {step:d}",
    "reading_words": "reading the words at step {step:d}",
    "turning_space": "turning the space",
    "comparing_neighbours": "comparing neighbours",
    "comparing_classes": "comparing classes",
    "asking_model": "asking the model",
    "speaking": "letting the model speak",
    "choosing_words": "choosing words",
    "reading_replaced": "reading sentences with a word replaced",
    "replacing_matrix": "replacing the matrix",
    "replacing_row": "replacing the row",
    "measuring_loss": "measuring the loss",
    "training_sentence": "training on the sentence, step {step:d}",
    "training_own_text": "training on the run's own text, step {step:d}",
    # Events of a run.
    "recorded_loop": "recorded from a training loop of its own",
    "stopped": "stopped at step {step:d}; it can be continued",
    "steps_done": "all {steps:,} steps are done",
    "steps_recorded": "all {steps:d} steps are recorded",
    "steps_recorded_again": "all {steps:d} steps are recorded; then the embedding was watched again",
    "steps_recorded_freed": "all {steps:d} steps are recorded; then the model was freed (a copy of it would have to be"
    " watched itself)",
    "no_step_recorded": "no step was recorded: {why}",
    "loop_stopped": "the loop stopped after step {step:d}: {error}",
    "not_recorded_after": "later steps than {step:d} are not recorded: {error}",
    "rate_changed": "learning rate {rate:g} from step {step:d}",
    "attempt_continues": "attempt {attempt:d} goes on from step {step:d} at the learning rate {rate:g};"
    " what followed in the attempt before no longer counts",
    "loop_resumed": "attempt {attempt:d} goes on after step {step:d} with the matrix of the record, bit for bit; what followed"
    " in the attempt before no longer counts",
    "loop_resumed_changed": "attempt {attempt:d} goes on after step {step:d} with another matrix than that of the record:"
    " {rows:,} rows differ, by at most {distance:.3g}; what followed in the attempt before no longer counts",
    "loop_resumed_unknown": "attempt {attempt:d} goes on after step {step:d}; the record does not have the matrix of that step,"
    " so it is not compared; what followed in the attempt before no longer counts",
    "attempt_differs": "computing step {step:d} again gave other numbers: attempt {attempt:d} begins here,"
    " what followed in the attempt before no longer counts",
    "attempt_lost": "steps after {step:d} were lost from the record and not from the tiles (a power cut, or a copy):"
    " attempt {attempt:d} begins here",
    "fragments_missing": "what follows step {step:d} has not arrived from the machine that trains; it is shown as soon as it has",
    "checkpoint_written": "the checkpoint of step {step:d} is written",
    "checkpoint_failed": "{error}; earlier ones are kept, and it will be tried again",
    "checkpoint_replaced": "{error}; another is used",
    "waypoint_failed": "no waypoint of step {step:d} is kept: {error}; training goes on",
    "disk_paused": "the disk is nearly full ({why}): snapshots pause, loss and lit rows are still kept; make room, and"
    " snapshots go on by themselves",
    "disk_room": "there is room on the disk again: snapshots are kept from here on, beginning with a whole one",
    "disk_waited": "training waited {seconds:,.0f} s for room on the disk",
    "budget_keyframes": "the disk budget of {megabytes:,.0f} MB is nearly used: only keyframes are kept from here on",
    "budget_series": "the disk budget of {megabytes:,.0f} MB is nearly used: from here on an old keyframe goes for each"
    " new one: they are dense at the end, and ever wider apart before",
    "budget_none": "the disk budget of {megabytes:,.0f} MB is nearly used: no more snapshots are kept from here on",
    "budget_scalars": "the disk budget of {megabytes:,.0f} MB is nearly used up: only loss and batch of each step are"
    " kept from now on (a larger disk_budget, or every=, keeps more)",
    "dense_steps": "more than half of the rows moved in step {step:,}: after such steps the matrix is kept only every"
    " {every:,} recorded steps (keyframe_every=1 keeps each)",
    "fork_differs": "computed again here, step {step:,} of the run that this is a fork of gives other numbers: the fork"
    " begins with those",
    "fork_optimiser": "the optimiser {optimiser} begins afresh, without what {before} had gathered",
    "fork_unknown_words": "{percent:.1f}% of the words of the text are not in the vocabulary: they are read as <unk>",
    "fork_new_words": "{words:d} words begin with new rows, drawn at random like the others",
    # Events of a recorded loop.
    "loss_named": "the loss is {name}; if that is wrong, report it with log(loss=...)",
    "gradients_as_used": "gradients are as the optimiser used them: unscaled, and clipped if the loop clips",
    "gradients_before_clipping": "gradients are as they were computed, before any clipping",
    "gradient_is_late": "the gradient has other rows than the ids: the rows match the ids of the previous step: give each"
    " step the ids that it was computed from",
    "gradient_of_other_ids": "the gradient has other rows than the ids: give the ids and the gradient of the same step",
    "gradient_of_unmoved": "none of the rows with a gradient moved, but others did: give the gradient of this step before"
    " it is cleared",
    "moved_is_late": "the rows that moved are not among the ids: the rows match the ids of the previous step: give each"
    " step the ids that it was computed from",
    # Why a run failed.
    "loss_not_finite": "step {step:d}: the loss or a gradient is no longer a finite number (loss {loss:g}). All steps"
    " before it are kept. Continue with a lower learning rate: it goes on from an earlier checkpoint.",
    "training_no_memory": "{limited}: begin a run with a smaller model, a shorter context or smaller batches",
    "start_lost": "the state with which this fork begins is gone: make the fork again",
    # Why there is no map of the output matrix.
    "output_tied": "in this model one matrix does both jobs, so both maps are the same",
    "output_not_recorded": "this run's record has the input matrix, and nothing else of the model: there is no second map",
    "output_not_kept": "no state of this run's model is kept, so only its input matrix is known",
    "output_kept_since": "no state of the model at or before step {step:d} is kept: the first is of step {first:d}",
    "output_few_states": "the model has only just begun: a map needs two kept states, so come back in a few steps",
    # Why a file or a map could not be made.
    "disk_nearly_full": "the disk is nearly full, and the rest is reserved for training; make room and try again",
    "export_not_begun": "{run} has not begun: there is nothing to export yet",
    "export_unreadable": "the run cannot be read: {error}",
    "export_no_step": "{run} has no step {step:d}: its last is {last:d}",
    "export_failed": "it could not be made: {error}; make it again",
    "export_no_room": "it could not be made: {error}; make room on the disk, and make it again",
    "no_memory_for_it": "there is not enough memory for it; close other programs, and try again",
    "export_killed": "the process of this export was killed ({signal}) before it was done; make it again",
    "export_ended": "the process of this export ended with code {number:d} before it was done; the server's log says more;"
    " make it again",
    "export_too_large": "exports may take {gigabytes:.3g} GB in total, and this one takes more; use: {command}",
    "export_no_map": "{run} has no map yet; make one with: lamplighter project {run}",
    "page_not_built": "the page has not been built: run make page, then export again",
    "import_no_zip": "this is not a zip: send the zip of a run, as lamplighter export RUN --to zip makes it",
    "import_too_large": "the zip of a run may have at most {gigabytes:.3g} GB",
    "import_under_way": "another run is being imported; cancel it, or wait until it is done",
    "import_ended": "its process ended with code {number:d} before it was done; send the file again",
    "map_not_begun": "this run has not begun: there is nothing to lay out",
    "map_not_over": "this run is not over; it can be laid out again once it is",
    "map_few_steps": "fewer than two steps of this run are kept exactly",
    "map_not_finite": "step {step:,} holds numbers that are not finite",
    "map_not_saved": "the result could not be saved: try again",
    "map_no_room": "there is no room on the disk for it; make room, and try again",
    "map_ended": "its process ended with code {number:d}; try again",
    # What is not there, or cannot be done now.
    "no_such_run": "there is no run '{run}' in {folder}/",
    "no_such_set": "there is no set '{set}' in {folder}/",
    "run_moved": "{run} was just moved to the trash",
    "run_is_trained": "{run} is being trained; stop it first",
    "run_arrives": "{run} arrives from another machine: end its training there or revoke its token, and wait a minute",
    "push_name_taken": "{run} is the name of another run there: push under another name",
    "run_may_be_trained": "cannot tell whether {run} is being trained, since its trainer.lock cannot be opened: try again",
    "set_is_open": "{set} is the folder that is open here: remove it by hand",
    "set_is_swept": "{set} is being swept; stop that first",
    "run_without_steps": "{run} has not begun: nothing is recorded yet",
    "run_without_tokens": "{run} has not read its corpus yet, so there are no tokens",
    "run_without_claims": "{run} has not read its corpus yet, so there is nothing to claim",
    "run_without_numbers": "{run} has not read its corpus yet, so its numbers are unknown",
    "run_unreadable": "this run cannot be read: {error}",
    "store_silent": "the place where this run lies does not answer, or too slowly: ask again in a moment",
    "run_lost_text": "this run has no vocabulary: its text has not been read, or was lost",
    "folder_read_only": "{folder} cannot be written to: it is another user's, or on a read-only file system; copy it to a folder"
    " that you can write to",
    "other_user": "these files are another user's, and not for this server to read or write",
    "attempt_began": "a new attempt began during this request: ask again",
    "no_such_token": "there is no token {token}; this run has {tokens:d}, from 0",
    "step_not_recorded": "step {step:d} is not recorded; the last is {last:d}",
    "not_kept_exactly": "the embedding at step {step:d} was not kept exactly; the nearest before it that can is"
    " {nearest:d}",
    "none_kept_exactly": "the embedding at step {step:d} was not kept exactly; none before it can",
    "no_layout": "there is no {method} layout at or before step {step:d} yet",
    "no_districts": "no districts were computed for this step yet",
    "no_such_part": "the course has no part {part}: GET /api/lessons lists its parts",
    "no_such_session": "there is no such session: it may have expired",
    "no_process": "no process can be started for it: {error}",
    "export_not_started": "the export cannot be started: {error}; check that the disk has room",
    "export_unfinished": "that export is not finished yet ({percent:.0f}%); try again later",
    "export_without_file": "that export has no file; make it again",
    # A set.
    "set_unreadable": "this set cannot be read: {error}",
    "set_without_word": "no member of {set} has the word '{word}'",
    "set_without_two": "fewer than two members of {set} have this word at step {step} yet",
    "set_not_begun": "no member of this set has begun: there is nothing to compare yet",
    "set_without_group": "this set has no group {group:d}: its last is {last:d}",
    # A fork.
    "fork_unchanged": "{field} is {value} already",
    "fork_frozen_rate": "a frozen embedding has no learning rate: change its factor or freeze it",
    "fork_tied_rate": "tied weights have one learning rate: embedding_factor changes nothing",
    "fork_shuffled_town": "shuffled words have no jobs to permute: take the other town or shuffle",
    "fork_shuffled_other": "the sentences of the other town cannot be shuffled",
    "fork_planted_rows": 'corpus.planted is a list of rows of three words in small letters, two and their sign: "robot'
    ' android antenna"',
    "fork_planted_text": "words can be planted in Lamptown read by whole words",
    "fork_without_text": "a text goes with the change of corpus.kind to text, and this change needs one",
    "fork_text_not_kept": "the text of {run} is not kept, so it cannot be read in another way",
    "fork_nothing_kept": "no state of {run} is kept from before step {step:,}",
    "fork_too_far": "the nearest kept state of {run} is that of step {nearest:,}, more than {most:,} steps before step"
    " {step:,}",
    "fork_attempt": "{run} began another attempt while it was copied: try again",
    # A class.
    "class_closed": "the door is closed: ask the presenter to open it",
    "class_wrong_code": "that is not the code: look at the presenter's screen",
    "class_wrong_codes": "too many wrong codes came from this network: try again in {seconds:d} s, or scan the QR code",
    "class_is_away": "the servers of this class cannot reach each other now: try again in a few seconds",
    "class_is_full": "the class is full: {error}",
    "class_not_started": "this server was started without a class: start it with --classroom",
    "no_such_viewer": "there is no such viewer: the session may have ended by itself",
    "no_question": "there is no question at the moment",
}
"""The English sentence of each code, with its values in the fields of `str.format`."""

_MAX_CHARACTERS = 1_000
"""A longer text is none of them. What an imported run says may be anything."""
_NUMBER = r"-?[0-9][0-9,]{0,25}(?:\.[0-9]+)?(?:e[+-]?[0-9]{1,3})?|-?inf|nan"


def say(code: ReasonCode, **values: float | str) -> str:
    return SENTENCES[code].format(**values)


@lru_cache(maxsize=2_048)
def recognise(text: str) -> Reason | None:
    """Return the code and the values of a sentence; None for any other text."""
    if len(text) > _MAX_CHARACTERS:
        return None
    for code, pattern, numbers in _patterns():
        if (match := pattern.fullmatch(text)) is not None:
            values = match.groupdict()
            return Reason(
                code, {name: _read(part) if name in numbers else part for name, part in values.items()}
            )
    return None


@cache
def _patterns() -> list[tuple[ReasonCode, re.Pattern[str], set[str]]]:
    return [(code, *_read_template(sentence)) for code, sentence in SENTENCES.items()]


def _read_template(sentence: str) -> tuple[re.Pattern[str], set[str]]:
    """Return the pattern of what a template makes, and the names of its numbers, which alone have a format."""
    pattern, names, numbers = "", set[str](), set[str]()
    for literal, name, format_spec, _ in Formatter().parse(sentence):
        pattern += re.escape(literal)
        if name in names:
            pattern += f"(?P={name})"
        elif name is not None:
            names.add(name)
            if format_spec:
                numbers.add(name)
            pattern += f"(?P<{name}>{_NUMBER if format_spec else '.+?'})"
    return re.compile(pattern, re.DOTALL), numbers


def _read(number: str) -> int | float | str:
    plain = number.replace(",", "")
    if plain.removeprefix("-").isdecimal():
        return int(plain)
    # JSON has no number that is not finite.
    return read if math.isfinite(read := float(plain)) else number
