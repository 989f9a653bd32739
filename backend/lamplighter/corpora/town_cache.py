"""Cached towns in the user's cache folder, so that a run of Lamptown starts a second or two earlier.

A file is named by a digest of everything that a town depends on: the recipe, the seed, the code and word lists of this package, and the versions of its libraries. Files are checked like
those of a run; a damaged one is rebuilt.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import tempfile
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from lamplighter.contract.recipe import CorpusRecipe
from lamplighter.corpora.build import CorpusProgress, build_corpus
from lamplighter.corpora.corpus import Corpus
from lamplighter.wire import vocabulary as vocabulary_format
from lamplighter.wire.vocabulary import Vocabulary

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
