"""Building a corpus from a recipe, and that of a fork that reads another text than its parent, with the parent's tokeniser
and ids: the only entry point of this package.

Towns are cached in the user's cache folder, so that a run of Lamptown starts a second or two earlier. A file is named by a
digest of everything that a town depends on: the recipe, the seed, the code and word lists of this package, and the
versions of its libraries. Files are checked like those of a run; a damaged one is rebuilt.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from lamplighter.contract.recipe import CorpusRecipe
from lamplighter.wire import vocabulary as vocabulary_format
from lamplighter.wire.vocabulary import Relation, Vocabulary

from .corpus import Corpus, CorpusError
from .held_out import TOWN_HELD_OUT_TOKENS, split_held_out
from .lamptown import Town, generate_town
from .modular import build_sums
from .novels import read_novels
from .othertown import deal_jobs
from .repeats import HELD_OUT_PASSAGES, PASSAGES, write_passages
from .textfile import MIN_TOKENS, count_words, explain_too_short, split_paragraphs
from .tokenisers import TokeniserError, add_words, encode_documents, encode_with, restore_tokeniser, tokenise

CorpusProgress = Callable[[float, str], None]
"""A callback that gets the share done, from 0 to 1, and a description of the current work."""


def shuffle_documents(
    ids: NDArray[np.uint32], document_lengths: NDArray[np.int64], seed: int
) -> NDArray[np.uint32]:
    """Return the same tokens in the same documents, in random order: shape (N,)."""
    document = np.repeat(np.arange(len(document_lengths)), document_lengths)
    lots = np.random.Generator(np.random.PCG64(seed)).random(len(document))
    return ids[np.lexsort((lots, document))]


def ground_truth(
    town: Town, tokens: tuple[str, ...], counts: NDArray[np.int64], word_start: str
) -> tuple[dict[str, tuple[int, ...]], tuple[Relation, ...], dict[str, tuple[str, ...]]]:
    """Return the town's classes and relations as token ids, and its families; drop words that are not one token."""
    ids = {token: number for number, token in enumerate(tokens) if counts[number]}

    def id_of(word: str) -> int | None:
        return ids.get(word_start + word)

    classes: dict[str, tuple[int, ...]] = {}
    for name, words in town.classes.items():
        members = tuple(sorted(number for word in words if (number := id_of(word)) is not None))
        if len(members) > 1:
            classes[town.class_names[name]] = members
    relations: list[Relation] = []
    for name, words in town.relations.items():
        pairs = ((id_of(left), id_of(right)) for left, right in words)
        known = tuple((left, right) for left, right in pairs if left is not None and right is not None)
        if known:
            relations.append(Relation(name.replace("_", " "), known))
    families: dict[str, tuple[str, ...]] = {}
    for name, names in town.families.items():
        if kept := tuple(shown for member in names if (shown := town.class_names[member]) in classes):
            families[name] = kept
    return classes, tuple(relations), families


def read_documents(
    recipe: CorpusRecipe, seed: int, text: str | None, tell: CorpusProgress
) -> tuple[list[str], list[str], Town | None]:
    """Return the documents of a recipe, those held out, and the town that they are about; None for real text.
    `tell` is called with the share done, up to 0.5, and a short description. It raises CorpusError without a
    text.
    """
    match recipe.kind:
        case "recorded":
            raise CorpusError("a run of kind 'recorded' has no text here: its own training loop reads it")
        case "modular":
            raise CorpusError("sums on a clock have no text for the words of another run")
        case "lamptown":
            tell(0.0, "writing Lamptown")
            planted = recipe.planted
            town = generate_town(seed, lambda share: tell(0.5 * share, "writing Lamptown"), planted=planted)
            other = generate_town(seed + 1, size=TOWN_HELD_OUT_TOKENS, planted=planted)
            documents, unread = ([" ".join(words) for words in one.documents] for one in (town, other))
            return documents, unread, town
        case "repeats":
            tell(0.0, "writing lists of words")
            return write_passages(seed, PASSAGES), write_passages(seed + 1, HELD_OUT_PASSAGES), None
        case "novels":
            text = read_novels()
        case "manuals":
            from lamplighter.corpora.python_docs import read_python_docs

            text = read_python_docs(lambda share, what: tell(0.5 * share, what))
        case "text":
            if text is None:
                raise CorpusError("a recipe of kind 'text' needs the text itself: none was given")
    return *split_held_out(split_paragraphs(text)), None


def build_corpus(
    recipe: CorpusRecipe, seed: int, text: str | None = None, progress: CorpusProgress | None = None
) -> Corpus:
    """Build the token ids and the vocabulary of a recipe, reproducible bit for bit; raise CorpusError for a
    bad text.

    `seed` seeds Lamptown's sentences, the lists of words, and the control's shuffle. `text`: that of a recipe
    of kind `text` (see `textfile`); else unused. `progress` is called with the share done and a short
    description.
    """

    def tell(share: float, what: str) -> None:
        if progress is not None:
            progress(share, what)

    if recipe.kind == "modular":
        return build_sums(recipe, seed)
    documents, unread, town = read_documents(recipe, seed, text, tell)
    tell(0.5, "splitting the text into tokens")
    tokenised = tokenise(
        documents,
        recipe.tokeniser,
        recipe.vocabulary_size,
        lambda share: tell(0.5 + 0.5 * share, "splitting the text into tokens"),
    )
    if len(tokenised.ids) < MIN_TOKENS:
        raise CorpusError(explain_too_short(sum(map(count_words, documents))))
    ids, lengths = tokenised.ids, tokenised.document_lengths
    held_out, held_out_lengths = encode_with(tokenised.tokeniser, unread)
    if recipe.shuffle_words:
        ids = shuffle_documents(ids, lengths, seed)
        held_out = shuffle_documents(held_out, held_out_lengths, seed)
    classes: dict[str, tuple[int, ...]] = {}
    relations: tuple[Relation, ...] = ()
    families: dict[str, tuple[str, ...]] = {}
    if town is not None:
        start = "▁" if recipe.tokeniser == "bpe" else ""
        held_out = held_out[:TOWN_HELD_OUT_TOKENS]
        classes, relations, families = ground_truth(town, tokenised.tokens, tokenised.counts, start)
    vocabulary = Vocabulary(tokenised.tokens, tokenised.counts, classes, relations, families)
    tell(1.0, "done")
    return Corpus(ids, vocabulary, tokenised.tokeniser, held_out if len(held_out) else None)


def reread_corpus(
    recipe: CorpusRecipe, seed: int, text: str | None, before: Corpus, progress: CorpusProgress | None = None
) -> Corpus:
    """Build the corpus of a fork. Its ids are the parent's, planted words come after them, and words that the
    parent does not know become id 0.

    The parent's classes and relations stay, so that its order can be measured while it reads something else.
    It raises CorpusError for an unusable text or tokeniser.
    """

    def tell(share: float, what: str) -> None:
        if progress is not None:
            progress(share, what)

    if recipe.other_town:
        return _move_town(before, seed)
    documents, unread, town = read_documents(recipe, seed, text, tell)
    vocabulary, tokeniser = before.vocabulary, before.tokeniser
    try:
        restored = restore_tokeniser(tokeniser, len(vocabulary))
        known = set(restored.words)
        added = [word for row in recipe.planted for word in row.split() if word not in known]
        if added:
            restored = add_words(restored, added)
            tokeniser = restored.tokeniser.to_str()
    except TokeniserError as error:
        raise CorpusError(f"the parent's text cannot be read on: {error}") from error
    ids, lengths = encode_documents(
        restored, documents, lambda share: tell(0.5 + 0.5 * share, "splitting the text into tokens")
    )
    held_out, held_out_lengths = encode_documents(restored, unread)
    if recipe.shuffle_words:
        ids = shuffle_documents(ids, lengths, seed)
        held_out = shuffle_documents(held_out, held_out_lengths, seed)
    tokens = (*vocabulary.tokens, *added)
    counts = np.bincount(ids, minlength=len(tokens)).astype(np.int64)
    if town is not None:
        held_out = held_out[:TOWN_HELD_OUT_TOKENS]
    if town is not None and added:
        classes, relations, families = ground_truth(town, tokens, counts, "")
        vocabulary = Vocabulary(tokens, counts, classes, relations, families)
    else:
        vocabulary = replace(vocabulary, tokens=tokens, counts=counts)
    tell(1.0, "done")
    return Corpus(ids, vocabulary, tokeniser, held_out if len(held_out) else None)


def _move_town(corpus: Corpus, seed: int) -> Corpus:
    """Return the same text with the jobs of the words permuted, and the truth about it."""
    vocabulary = corpus.vocabulary
    jobs = deal_jobs(vocabulary, seed)

    def move(ids: NDArray[np.uint32]) -> NDArray[np.uint32]:
        return jobs[ids].astype(np.uint32)

    moved = replace(
        vocabulary,
        counts=np.bincount(move(corpus.token_ids), minlength=len(vocabulary)).astype(np.int64),
        classes={name: tuple(sorted(jobs[list(ids)].tolist())) for name, ids in vocabulary.classes.items()},
        relations=tuple(
            Relation(relation.name, tuple((int(jobs[a]), int(jobs[b])) for a, b in relation.pairs))
            for relation in vocabulary.relations
        ),
    )
    held_out = None if corpus.held_out is None else move(corpus.held_out)
    return Corpus(move(corpus.token_ids), moved, corpus.tokeniser, held_out)


MAX_TOWNS = 8
"""Maximum cached towns, of a megabyte each; the oldest are dropped."""
_LIBRARIES = ("numpy", "tokenizers")


def build_cached(
    recipe: CorpusRecipe, seed: int, progress: CorpusProgress | None = None, folder: Path | None = None
) -> Corpus:
    """Return the town that `build_corpus` builds from a recipe, from the cache if possible."""
    folder = folder or Path(platformdirs.user_cache_dir("lamplighter", appauthor=False)) / "towns"
    path = folder / f"{_key(recipe, seed)}.npz"
    if (kept := _read(path)) is not None:
        if progress is not None:
            progress(1.0, "done")
        return kept
    corpus = build_corpus(recipe, seed, progress=progress)
    # Without a cache the next run is just slower.
    with contextlib.suppress(OSError):
        _write(path, corpus)
    return corpus


def _key(recipe: CorpusRecipe, seed: int) -> str:
    digest = hashlib.sha256(f"{recipe.model_dump_json(exclude={'name'})} {seed}".encode())
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES]
    digest.update("\n".join([*versions, platform.python_version(), platform.machine()]).encode())
    here = Path(__file__).parent
    code = [*here.glob("*.py"), *here.glob("lexicon/*"), Path(vocabulary_format.__file__)]
    for file in sorted(file for file in code if file.is_file()):
        digest.update(f"\n{file.name}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:32]


def _read(path: Path) -> Corpus | None:
    try:
        # Open it here, since `np.load` leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            # Reading verifies each checksum in the archive.
            ids, held_out = (_as_ids(arrays[name]) for name in ("token_ids", "held_out"))
            vocabulary, tokeniser = (arrays[name].tobytes().decode() for name in ("vocabulary", "tokeniser"))
        words = Vocabulary.from_json(vocabulary)
        json.loads(tokeniser)
    except Exception:  # noqa: BLE001  # an invalid file is rebuilt
        return None
    if not len(ids) or max(ids.max(), held_out.max(initial=0)) >= len(words):
        return None
    # Mark it as used last, so that the oldest is dropped.
    with contextlib.suppress(OSError):
        os.utime(path)
    return Corpus(ids, words, tokeniser, held_out if len(held_out) else None)


def _as_ids(array: NDArray[np.generic]) -> NDArray[np.uint32]:
    if array.ndim != 1 or array.dtype != np.uint32:
        raise ValueError("these are no token ids")
    return array.view(np.uint32)


def _write(path: Path, corpus: Corpus) -> None:
    """Write a file atomically, and drop the oldest towns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    empty = np.zeros(0, np.uint32)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                token_ids=corpus.token_ids,
                held_out=empty if corpus.held_out is None else corpus.held_out,
                vocabulary=np.frombuffer(corpus.vocabulary.to_json().encode(), np.uint8),
                tokeniser=np.frombuffer(corpus.tokeniser.encode(), np.uint8),
            )
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    towns = sorted(path.parent.glob("*.npz"), key=lambda town: town.stat().st_mtime, reverse=True)
    for old in towns[MAX_TOWNS:]:
        old.unlink(missing_ok=True)
