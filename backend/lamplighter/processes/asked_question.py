"""A question about a run's model, its words checked and as token ids, sent to the run's examiner.

This module must not import torch: the server, Python and the command line ask through it. The examiner
(`examination/`), a separate process, answers in `examinations.sqlite`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from lamplighter.contract.questions import (
    WHOLE_SOFTMAX,
    MicroscopeQuestion,
    ProbeQuestion,
    Question,
    QuestionError,
    SpeakQuestion,
    TransplantQuestion,
    WhatIfQuestion,
    canonical_question,
    question_id,
)
from lamplighter.contract.reason import Reason, give_reason
from lamplighter.contract.recipe import Recipe
from lamplighter.model.batches import SAMPLE_TOKENS
from lamplighter.model.flops import count_step_flops
from lamplighter.platform.printable import quote_foreign
from lamplighter.platform.worker_limits import has_graphics_driver
from lamplighter.processes.kept_states import list_kept_states
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationEntry, ExaminationsReader
from lamplighter.runfolder.tables.requests import CANCEL_EXAMINATION, EXAMINE, RequestsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.token_text import spellings

_CONTEXT_WINDOWS = 64
"""Maximum length of a prompt or a sentence, in multiples of the model's context."""


def encode_words(run: RunFolder, text: str, field: str) -> list[int]:
    """Tokenise a text with a run's vocabulary. `run`: the run, whose corpus has been read; `field`: the
    question's field, for the message. Raises QuestionError if it is empty, too long, or has words that the
    run does not know, FormatError if the run's tokeniser cannot be read.
    """
    # The library takes a third of a second to import, and questions about rows do not need it.
    from lamplighter.corpora.prompts import PromptError, encode_prompt

    try:
        ids = list(encode_prompt(run.tokeniser, text, len(run.vocabulary)))
    except PromptError as error:
        raise QuestionError(f"{field}: {error}", error.reason) from error
    if not ids:
        raise QuestionError(f"{field}: it is empty; write at least one word", Reason("no_words"))
    most = _CONTEXT_WINDOWS * run.recipe.model.context
    if len(ids) > most:
        raise QuestionError(
            f"{field}: {len(ids):,} tokens are too many; at most {most:,} are read",
            give_reason("too_many_words", words=len(ids), most=most),
        )
    return ids


def read_sentence(run: RunFolder, text: str, field: str, fewest: int = 1) -> list[int]:
    """Return the token ids of a sentence that fits into the model's context and has at least `fewest` tokens;
    raises as `encode_words`.
    """
    ids, most = encode_words(run, text, field), run.recipe.model.context
    if len(ids) > most:
        raise QuestionError(
            f"{field}: it has {len(ids):,} words, and this model reads at most {most:,} words at a time",
            give_reason("too_many_words", words=len(ids), most=most),
        )
    if len(ids) < fewest:
        raise QuestionError(
            f"{field}: it is too short; write at least {fewest} words",
            give_reason("too_few_words", fewest=fewest),
        )
    return ids


def find_word(run: RunFolder, word: str, field: str) -> int:
    """Return the id of a token by its form as it is kept or as tokenisers write it, or of the text's only
    token. Raises QuestionError if the run does not know the word, or the text has several tokens,
    FormatError if the run's tokeniser cannot be read.
    """
    tokens = run.vocabulary.tokens
    for one in spellings(word):
        if one in tokens:
            return tokens.index(one)
    ids = encode_words(run, word, field)
    if len(ids) != 1:
        raise QuestionError(
            f"{field}: {quote_foreign(word[:80])} is {len(ids):,} words here, and one is wanted",
            give_reason("one_word_wanted", word=word[:80], words=len(ids)),
        )
    return ids[0]


def find_swapped_rows(run: RunFolder, question: TransplantQuestion) -> tuple[int, int] | None:
    """Return the target row and the source row; None for the whole matrix. Raises QuestionError if nothing
    would change, or the run does not know a word, FormatError if the run's tokeniser cannot be read.
    """
    elsewhere = question.source_step not in (None, question.step)
    if question.into is None:
        if question.source is not None:
            raise QuestionError(
                "into: say whose row is replaced, or leave out the word whose row is taken",
                Reason("no_row_named"),
            )
        if not elsewhere:
            raise QuestionError(
                "source_step: say another step, whose matrix is put in this one's place",
                Reason("nothing_changed"),
            )
        return None
    into = find_word(run, question.into, "into")
    source = into if question.source is None else find_word(run, question.source, "source")
    if source == into and not elsewhere:
        raise QuestionError(
            "source: nothing would be changed; say another word, or another step", Reason("nothing_changed")
        )
    return into, source


MAX_FLOPS = 4e12
"""Maximum floating-point operations of a question: about two minutes on one core."""
MAX_CARD_FLOPS = 4e14
"""Maximum floating-point operations of a question to a run trained on a graphics card whose driver is found."""


def require_affordable(recipe: Recipe, vocabulary: int, question: Question, device: str) -> None:
    """Check that a question does not take too long. `device`: the kind of device that the run was trained on;
    untrusted for an imported run. Raises QuestionError if it does.
    """
    # A text sample is some batches long, and is read forward only.
    work = question.work(recipe, SAMPLE_TOKENS / recipe.batch_tokens)
    # A model that is read has its whole softmax.
    whole = recipe.model_copy(update={"model": recipe.model.model_copy(update={"negatives": None})})
    flops = count_step_flops(whole, vocabulary, vocabulary)
    total = work.steps * (flops.forward + flops.backward + flops.update) + work.read * flops.forward
    # Without a card here everything is computed on the CPU, wherever the run was trained.
    on_card = device != "cpu" and has_graphics_driver() and not question.on_processor
    most = MAX_CARD_FLOPS if on_card else MAX_FLOPS
    if total > most:
        counted = question.counted
        told = (
            f"compute {work.steps:,} steps of this model" if work.steps else f"read {work.read:,.0f} batches"
        )
        raise QuestionError(
            f"{counted}: it would {told}, {total:.1g} floating-point operations, and"
            f" at most {most:.0g} are spent on one question: ask for fewer {counted}, or ask a smaller run",
            give_reason("question_too_long", operations=total, most=most),
        )


EXAMINER = "examiner"
"""The role of the process that answers."""
IDLE_SECONDS = 600.0
"""Seconds for which an idle examiner keeps its model loaded before it ends."""


class ExaminationRefusedError(RuntimeError):
    """The run cannot be asked this question now; the message says why, in one sentence."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class AskedQuestion:
    """A question that can be asked of a run, and its identity in that run."""

    id: str
    attempt: int
    """The attempt in which the question's last step counts."""
    question: Question

    def as_fields(self) -> dict[str, Any]:
        """Return the columns that name the question in `examinations.sqlite`."""
        return {
            "attempt": self.attempt,
            "step": self.question.step,
            "kind": self.question.kind,
            "question": canonical_question(self.question),
        }


def check_question(run: RunFolder, question: Question) -> AskedQuestion:
    """Return a question as it can be asked of a run. Raises ExaminationRefusedError if the run has no model,
    has not reached that step, or has no such step to take apart, QuestionError if the question has words
    or numbers that the run does not have, FormatError if this version cannot read the folder.
    """
    if run.recipe.corpus.kind == "recorded":
        raise ExaminationRefusedError(
            "this run was recorded from an external training loop, so its model is not here: there is nothing to ask",
            Reason("recorded_elsewhere"),
        )
    if run.recipe.model.negatives is not None and question.kind in WHOLE_SOFTMAX:
        raise ExaminationRefusedError(
            "the loss of a step of this run is an estimate (a sampled softmax), and this question needs that over the whole vocabulary",
            Reason("sampled_softmax"),
        )
    try:
        with StepsReader(run.steps_path) as reader:
            lineage, newest = reader.lineage(), reader.newest_step()[1]
            device = reader.facts().get("device", "cpu")
    except FileNotFoundError:
        lineage, newest, device = None, 0, "cpu"
    if not lineage or not run.is_prepared:
        raise ExaminationRefusedError(
            "this run has not begun, so there is no model to ask yet", Reason("run_not_begun")
        )
    if question.last_step > newest:
        raise ExaminationRefusedError(
            f"step {question.last_step:,} has not been reached: this run is at step {newest:,}",
            give_reason("step_not_reached", step=question.last_step, newest=newest),
        )
    if question.kept:
        question = _move_to_kept(run, question, lineage)
    _check_fit(run, question)
    require_affordable(run.recipe, len(run.vocabulary), question, str(device))
    attempt = lineage.attempt_at(question.last_step)
    return AskedQuestion(question_id(attempt, question), attempt, question)


def ask_question(run: RunFolder, server: str, asked: AskedQuestion) -> int:
    """Append a question to the requests file of `server`. Return the request's number."""
    body = asked.question.model_dump(mode="json")
    if asked.question.background:
        body["background"] = True
    return RequestsWriter(run.path, server).add(EXAMINE, body)


def ask_to_cancel(run: RunFolder, server: str, asked_id: str) -> int:
    """Append a cancel request to the requests file of `server`. Return the request's number."""
    return RequestsWriter(run.path, server).add(CANCEL_EXAMINATION, {"id": asked_id})


def read_examination(run: RunFolder, asked_id: str) -> ExaminationEntry | None:
    """Return the state of a question; None if no examiner has read it yet. Raises FormatError if this version
    cannot read the file.
    """
    try:
        with ExaminationsReader(run.examinations_path) as reader:
            return reader.entry(asked_id)
    except FileNotFoundError:
        return None


def examiner_command(run: RunFolder, idle: float = IDLE_SECONDS) -> list[str]:
    """Return the command line of a run's examiner, which ends when its standard input is closed."""
    return [sys.executable, "-m", "lamplighter.examination.worker", str(run.path), "--idle", f"{idle:g}"]


def _move_to_kept(run: RunFolder, question: Question, lineage: Lineage) -> Question:
    """Return a question at the last step up to its own whose model is kept; the initial model always is."""
    kept = next((file.step for file in list_kept_states(run, lineage, question.model_step)), 0)
    return question.model_copy(update={"step": question.step - (question.model_step - kept)})


def _check_fit(run: RunFolder, question: Question) -> None:
    match question:
        case SpeakQuestion():
            encode_words(run, question.prompt, "prompt")
        case TransplantQuestion():
            read_sentence(run, question.prompt, "prompt")
            find_swapped_rows(run, question)
        case WhatIfQuestion():
            read_sentence(run, question.sentence, "sentence", fewest=2)
        case ProbeQuestion():
            read_sentence(run, question.sentence, "sentence")
            if question.other_sentence is not None:
                read_sentence(run, question.other_sentence, "other_sentence")
        case MicroscopeQuestion():
            _require_below(question.token, len(run.vocabulary), "token")
            _require_below(question.coordinate, run.recipe.model.dim, "coordinate")
            _require_below(question.sequence, run.recipe.sequences, "sequence")
        case _:
            pass


def _require_below(value: int | None, limit: int, field: str) -> None:
    if value is not None and value >= limit:
        raise QuestionError(
            f"{field}: {value:,} is out of range for this run: 0 to {limit - 1:,}",
            give_reason("out_of_range", most=limit - 1),
        )
