"""Words and sentences of a question, as token ids of its run.

This module must not import torch: the server checks the words before an examiner starts.
"""

from __future__ import annotations

from lamplighter.contract.questions import QuestionError, TransplantQuestion
from lamplighter.contract.reason import Reason, give_reason
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.run_folder import RunFolder
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
