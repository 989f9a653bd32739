"""Tokenisers for words or word pieces, using the `tokenizers` library.

Both kinds reserve id 0 for `<unk>`, text not seen in training. Tokens have a readable displayed form:

- words are lower-case; punctuation marks are separate tokens;
- a piece at the start of a word begins with `▁` (`▁learn`, `ing`), as in SentencePiece; the library's internal
  byte-level alphabet (`Ġlearn`) is never shown;
- a piece that is not whole characters shows its bytes as `⟨e2⟩⟨9c⟩`; invisible characters and those that
  change the direction of writing (controls, bidirectional marks, joiners) show as `⟨U+202E⟩`;
- no two ids are displayed alike: later duplicates carry their id, `⟨#431⟩`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from lamplighter.wire.token_text import byte_by_symbol, decode_piece, keep_distinct

UNKNOWN = "<unk>"
"""Id 0: a word or byte that was not in the text on which the tokeniser was trained."""

_WORD = r"[\w\p{M}]{1,40}(?:['’][\w\p{M}]{1,40})*|[^\w\s\p{M}]"
"""A run of letters, digits and marks, with apostrophes inside allowed; or one other visible character. Runs are cut at
40 characters, so that a blob does not become one huge token."""
_PIECE_CHARACTERS = 50_000
"""Approximate length of the pieces in which documents are read, which bounds memory for very long lines."""
_BATCH = 256
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class TokeniserError(ValueError):
    """An error for JSON that is not the tokeniser of a run."""


@dataclass(frozen=True)
class RestoredTokeniser:
    """A run's tokeniser, rebuilt from its tokens."""

    tokeniser: Tokenizer
    words: list[str]
    """The known words by id, in descending frequency; empty for word pieces."""


@dataclass(frozen=True)
class TokenisedText:
    """A tokenised text, with its vocabulary."""

    ids: NDArray[np.uint32]
    """Shape (N,)."""
    tokens: tuple[str, ...]
    """The displayed form of each id; all distinct."""
    counts: NDArray[np.int64]
    """Shape (V,): the occurrences of each id."""
    tokeniser: str
    """The tokeniser as JSON, in the format of the `tokenizers` library."""
    document_lengths: NDArray[np.int64]
    """Shape (D,): tokens of each document; they sum to N."""


def _split_document(document: str) -> Iterator[str]:
    """Split a document into pieces of bounded length, at spaces where possible."""
    start = 0
    while len(document) - start > _PIECE_CHARACTERS:
        end = start + _PIECE_CHARACTERS
        cut = document.rfind(" ", start + _PIECE_CHARACTERS // 2, end)
        end = end if cut < 0 else cut
        yield document[start:end]
        start = end
    yield document[start:]


def make_word_tokeniser(words: Iterable[str]) -> Tokenizer:
    """Return the tokeniser that knows these words, with ids from 1 on."""
    return _word_tokeniser({UNKNOWN: 0} | {word: at for at, word in enumerate(words, start=1)})


def _word_tokeniser(vocabulary: dict[str, int]) -> Tokenizer:
    tokeniser = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokeniser.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokeniser.pre_tokenizer = pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True)
    return tokeniser


def _bpe_tokeniser(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Tokenizer:
    tokeniser = Tokenizer(models.BPE(vocabulary, merges, unk_token=UNKNOWN, fuse_unk=True))
    tokeniser.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokeniser.decoder = decoders.ByteLevel()
    return tokeniser


def _train_words(pieces: Iterable[str], size: int) -> Tokenizer:
    tokeniser = _word_tokeniser({UNKNOWN: 0})
    tokeniser.train_from_iterator(pieces, trainers.WordLevelTrainer(vocab_size=size - 1, show_progress=False))
    found = sorted(tokeniser.get_vocab().items(), key=lambda entry: entry[1])
    # Add <unk> as an ordinary word: a special token would also match a text that spells it out.
    return make_word_tokeniser(word for word, _ in found)


def _train_bpe(pieces: Iterable[str], size: int) -> Tokenizer:
    tokeniser = _bpe_tokeniser({UNKNOWN: 0}, [])
    trainer = trainers.BpeTrainer(
        vocab_size=size - 1, limit_alphabet=size - 1, min_frequency=2, show_progress=False
    )
    tokeniser.train_from_iterator(pieces, trainer)
    model = json.loads(tokeniser.to_str())["model"]
    found = sorted(model["vocab"].items(), key=lambda entry: entry[1])
    vocabulary = {UNKNOWN: 0} | {piece: at for at, (piece, _) in enumerate(found, start=1)}
    return _bpe_tokeniser(vocabulary, [(left, right) for left, right in model["merges"]])


def _readable(text: str) -> str:
    return "".join(f"⟨U+{ord(sign):04X}⟩" if unicodedata.category(sign) in _HIDDEN else sign for sign in text)


def _display_piece(piece: str, byte_of_sign: dict[str, int]) -> str:
    text = decode_piece(piece, byte_of_sign)
    return _readable(text.replace("▁", "⟨U+2581⟩").replace(" ", "▁"))


def _display_tokens(names: list[str], kind: Literal["words", "bpe"]) -> tuple[str, ...]:
    if kind == "words":
        shown = [_readable(name) for name in names]
    else:
        signs = byte_by_symbol()
        shown = [
            name if token_id == 0 else _display_piece(name, signs) for token_id, name in enumerate(names)
        ]
    return keep_distinct(shown)


def tokenise(
    documents: list[str],
    kind: Literal["words", "bpe"],
    size: int,
    progress: Callable[[float], None] | None = None,
) -> TokenisedText:
    """Train a tokeniser on the documents, in which white space only separates words, and tokenise them with
    it.

    `kind`: lower-case `words`, the most frequent, or byte-level pieces (`bpe`); `size`: the most ids, `<unk>`
    included, at least 3.
    """
    train = _train_words if kind == "words" else _train_bpe
    tokeniser = train((piece for _, piece in _split_documents(documents)), size)
    ids, lengths = _encode_documents(tokeniser, documents, progress)
    vocabulary = sorted(tokeniser.get_vocab().items(), key=lambda entry: entry[1])
    names = [name for name, _ in vocabulary]
    counts = np.bincount(ids, minlength=len(names)).astype(np.int64)
    return TokenisedText(ids, _display_tokens(names, kind), counts, tokeniser.to_str(), lengths)


def encode_with(tokeniser: str, documents: list[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the token ids of other documents, shape (N,), and the number of tokens of each, shape (D,). Text
    that the tokeniser (as JSON) does not know becomes `<unk>`.
    """
    return _encode_documents(Tokenizer.from_str(tokeniser), documents)


def restore_tokeniser(tokeniser: str, size: int) -> RestoredTokeniser:
    """Rebuild a run's tokeniser from the tokens and merges in its JSON, or raise TokeniserError for not
    `size` ids. Nothing else is used: an untrusted tokeniser could split texts by a regular expression that
    takes forever.
    """
    try:
        model: Any = json.loads(tokeniser)["model"]
        kind, vocabulary = model["type"], model["vocab"]
        if sorted(vocabulary.values()) != list(range(size)) or vocabulary[UNKNOWN] != 0:
            raise TokeniserError("its tokens are not those of its vocabulary")
        if kind == "BPE":
            merges: list[tuple[str, str]] = [(left, right) for left, right in model["merges"]]
            return RestoredTokeniser(_bpe_tokeniser(vocabulary, merges), [])
        if kind != "WordLevel":
            raise TokeniserError("its tokeniser is of a kind that this version does not know")
        return RestoredTokeniser(
            _word_tokeniser(vocabulary), sorted(vocabulary, key=vocabulary.__getitem__)[1:]
        )
    except TokeniserError:
        raise
    except Exception as error:
        # The library raises plain exceptions, for example for a merge of missing tokens.
        raise TokeniserError("its tokeniser is damaged") from error


def add_words(restored: RestoredTokeniser, words: Iterable[str]) -> RestoredTokeniser:
    """Return a tokeniser of whole words that also knows `words`; raise TokeniserError for pieces."""
    if not restored.words:
        raise TokeniserError("a tokeniser of word pieces takes no new words")
    known = [*restored.words, *words]
    return RestoredTokeniser(make_word_tokeniser(known), known)


def encode_documents(
    restored: RestoredTokeniser, documents: list[str], progress: Callable[[float], None] | None = None
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the token ids of documents and the number of tokens of each, as `encode_with` does."""
    return _encode_documents(restored.tokeniser, documents, progress)


def encode_text(restored: RestoredTokeniser, text: str) -> list[tuple[int, int, int]]:
    """Return the tokens of a short text as (id, start, end)."""
    found = restored.tokeniser.encode(text, add_special_tokens=False)
    return [(token, start, end) for token, (start, end) in zip(found.ids, found.offsets, strict=True)]


def _split_documents(documents: list[str]) -> Iterator[tuple[int, str]]:
    for number, document in enumerate(documents):
        for piece in _split_document(document):
            yield number, piece


def _encode_documents(
    tokeniser: Tokenizer, documents: list[str], progress: Callable[[float], None] | None = None
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    lengths = np.zeros(len(documents), dtype=np.int64)
    parts: list[NDArray[np.uint32]] = []
    batch: list[tuple[int, str]] = []

    def read() -> None:
        encodings = tokeniser.encode_batch_fast([piece for _, piece in batch], add_special_tokens=False)
        for (number, _), encoding in zip(batch, encodings, strict=True):
            ids = np.asarray(encoding.ids, dtype=np.uint32)
            parts.append(ids)
            lengths[number] += len(ids)
        if progress is not None:
            progress((batch[-1][0] + 1) / len(documents))
        batch.clear()

    for number, piece in _split_documents(documents):
        batch.append((number, piece))
        if len(batch) >= _BATCH:
            read()
    if batch:
        read()
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint32), lengths
