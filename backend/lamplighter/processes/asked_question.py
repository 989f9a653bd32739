"""A question about a run's model, checked and put where the run's examiner finds it.

No torch here: the server, Python and the command line ask so, and the examiner (`examination/`), a process of its own,
answers in `examinations.sqlite`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from lamplighter.printable import quote_foreign
from lamplighter.questions import (
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
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationEntry, ExaminationsReader
from lamplighter.runfolder.tables.requests import CANCEL_EXAMINATION, EXAMINE, RequestsWriter
from lamplighter.runfolder.tables.steps import StepsReader

EXAMINER = "examiner"
"""The role of the process that answers."""
IDLE_SECONDS = 600.0
"""Seconds for which an examiner that has nothing to answer stays, with its model loaded."""
CONTEXT_WINDOWS = 64
"""Maximum length of a prompt or a sentence, in contexts of the model."""


class ExaminationRefusedError(RuntimeError):
    """An error for a run that cannot be asked so now; the message says why, in one sentence."""


@dataclass(frozen=True)
class AskedQuestion:
    """A question that can be asked of a run, and its identity there."""

    id: str
    attempt: int
    """The attempt in which the last step that it is about counts."""
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
    """Return a question as it may be asked of a run.

    Raises:
        ExaminationRefusedError: the run has no model, or has not come to that step.
        QuestionError: the question does not fit the run: words or numbers that it does not have.
        FormatError: this version cannot read the folder.
    """
    if run.recipe.corpus.kind == "recorded":
        raise ExaminationRefusedError(
            "this run is recorded from a training loop of its own, so its model is not here: there is nothing to ask"
        )
    try:
        with StepsReader(run.steps_path) as reader:
            lineage, newest = reader.lineage(), reader.newest_step()[1]
    except FileNotFoundError:
        lineage, newest = None, 0
    if not lineage or not run.is_prepared:
        raise ExaminationRefusedError("this run has not begun: there is no model to ask yet")
    if question.last_step > newest:
        raise ExaminationRefusedError(
            f"step {question.last_step:,} has not been reached: this run is at step {newest:,}"
        )
    _check_fit(run, question)
    attempt = lineage.attempt_at(question.last_step)
    return AskedQuestion(question_id(attempt, question), attempt, question)


def ask_question(run: RunFolder, server: str, asked: AskedQuestion) -> int:
    """Write a question into the requests file of `server`. Return the request's number."""
    body = asked.question.model_dump(mode="json")
    return RequestsWriter(run.path, server).add(EXAMINE, body)


def ask_to_cancel(run: RunFolder, server: str, asked_id: str) -> int:
    """Write into the requests file of `server` that nobody wants an answer any more. Return the request's number."""
    return RequestsWriter(run.path, server).add(CANCEL_EXAMINATION, {"id": asked_id})


def read_examination(run: RunFolder, asked_id: str) -> ExaminationEntry | None:
    """Return what has become of a question; None if no examiner has taken it up yet.

    Raises:
        FormatError: this version cannot read the file.
    """
    try:
        with ExaminationsReader(run.examinations_path) as reader:
            return reader.entry(asked_id)
    except FileNotFoundError:
        return None


def examiner_command(run: RunFolder, idle: float = IDLE_SECONDS) -> list[str]:
    """Return the command line of a run's examiner, which ends when its standard input is closed."""
    return [sys.executable, "-m", "lamplighter.examination.worker", str(run.path), "--idle", f"{idle:g}"]


def _check_fit(run: RunFolder, question: Question) -> None:
    match question:
        case SpeakQuestion():
            encode_words(run, question.prompt, "prompt")
        case TransplantQuestion():
            _check_transplant(run, question)
        case WhatIfQuestion():
            _require_sentence(run, question.sentence, "sentence", fewest=2)
        case ProbeQuestion():
            _require_sentence(run, question.sentence, "sentence")
            if question.other_sentence is not None:
                _require_sentence(run, question.other_sentence, "other_sentence")
        case MicroscopeQuestion():
            _require_below(question.token, len(run.vocabulary), "token")
            _require_below(question.coordinate, run.recipe.model.dim, "coordinate")
            _require_below(question.sequence, run.recipe.sequences, "sequence")
        case _:
            pass


def _check_transplant(run: RunFolder, question: TransplantQuestion) -> None:
    _require_sentence(run, question.prompt, "prompt")
    into, source = question.into, question.source
    elsewhere = question.source_step not in (None, question.step)
    if into is None:
        if source is not None:
            raise QuestionError("into: say whose row is replaced, or leave out the word whose row is taken")
        if not elsewhere:
            raise QuestionError("source_step: say another step, whose matrix is put in this one's place")
        return
    words = [
        (field, _find_word(run, word, field)) for field, word in (("into", into), ("source", source)) if word
    ]
    if not elsewhere and words[0][1] == words[-1][1]:
        raise QuestionError("source: nothing would be changed; say another word, or another step")


def _find_word(run: RunFolder, word: str, field: str) -> int:
    """Return the id of a token by its displayed form, or of the single token that a text consists of."""
    try:
        return run.vocabulary.tokens.index(word)
    except ValueError:
        ids = encode_words(run, word, field)
    if len(ids) != 1:
        raise QuestionError(
            f"{field}: {quote_foreign(word[:80])} is {len(ids):,} words here, and one is wanted"
        )
    return ids[0]


def _require_sentence(run: RunFolder, text: str, field: str, fewest: int = 1) -> None:
    """Check that a model can read a text whole."""
    ids, most = encode_words(run, text, field), run.recipe.model.context
    if len(ids) > most:
        raise QuestionError(
            f"{field}: it has {len(ids):,} words, and this model reads at most {most:,} words at a time"
        )
    if len(ids) < fewest:
        raise QuestionError(f"{field}: it is too short; write at least {fewest} words")


def encode_words(run: RunFolder, text: str, field: str) -> list[int]:
    """Return a text as token ids of a run.

    Args:
        run: the run, whose corpus has been read.
        text: the text.
        field: the field of the question that it stands in, for the message.

    Raises:
        QuestionError: it is empty, too long, or has words that the run does not know.
        FormatError: the run's tokeniser cannot be read.
    """
    # The library takes a third of a second to import, and asking about a row needs none of it.
    from lamplighter.corpora.prompts import PromptError, encode_prompt

    try:
        ids = list(encode_prompt(run.tokeniser, text, len(run.vocabulary)))
    except PromptError as error:
        raise QuestionError(f"{field}: {error}") from error
    if not ids:
        raise QuestionError(f"{field}: it is empty; write at least one word")
    most = CONTEXT_WINDOWS * run.recipe.model.context
    if len(ids) > most:
        raise QuestionError(f"{field}: {len(ids):,} tokens are too many; at most {most:,} are read")
    return ids


def _require_below(value: int | None, limit: int, field: str) -> None:
    if value is not None and value >= limit:
        raise QuestionError(f"{field}: {value:,} is beyond this run, where it goes from 0 to {limit - 1:,}")
