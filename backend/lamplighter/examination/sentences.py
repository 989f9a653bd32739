"""Sentences and words that somebody typed, as token ids of a run."""

from __future__ import annotations

from lamplighter.corpora.prompts import PromptError, encode_prompt
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.printable import quote_foreign
from lamplighter.questions import QuestionError
from lamplighter.runfolder.run_folder import RunFolder


def read_sentence(examined: ExaminedModel, text: str, fewest: int = 1) -> list[int]:
    """Return the token ids of a sentence that the model can read whole.

    Args:
        examined: the model.
        text: the sentence.
        fewest: the fewest words that it must have.

    Raises:
        QuestionError: it has words that the run does not know, more of them than the model reads at a time, or fewer than
            `fewest`.
    """
    ids = _encode(examined.run, text)
    longest = examined.learner.model.shape.context
    if len(ids) > longest:
        raise QuestionError(
            f"the sentence has {len(ids):,} words: this model reads at most {longest:,} words at a time"
        )
    if len(ids) < fewest:
        raise QuestionError(f"the sentence is too short: it needs at least {fewest} words")
    return ids


def find_word(run: RunFolder, word: str) -> int:
    """Return the id of a token by its displayed form, or of the single token that a text consists of.

    Raises:
        QuestionError: the run does not know the word, or the text is of several tokens.
    """
    try:
        return run.vocabulary.tokens.index(word)
    except ValueError:
        ids = _encode(run, word)
    if len(ids) != 1:
        raise QuestionError(f"{quote_foreign(word)} is {len(ids)} words here, and one is wanted")
    return ids[0]


def _encode(run: RunFolder, text: str) -> list[int]:
    try:
        return encode_prompt(run.tokeniser, text, len(run.vocabulary))
    except PromptError as error:
        raise QuestionError(str(error)) from error
