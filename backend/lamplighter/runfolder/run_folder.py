"""A run's folder: the paths of its files, and the write-once files.

`docs/architecture.md`, "The run folder", lists them with their writers.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from lamplighter.contract.recipe import Recipe
from lamplighter.contract.recipe_file import RecipeError, read_recipe_file
from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.platform.folder_sync import replace_durably, sync_file
from lamplighter.platform.printable import quote_foreign
from lamplighter.platform.private_modes import open_like_folder, open_regular
from lamplighter.runfolder import remote_files
from lamplighter.runfolder.errors import FormatError, MissingVocabularyError
from lamplighter.runfolder.landmarks import LANDMARKS, MIN_LANDMARKS, MIN_TOKENS, choose_landmarks
from lamplighter.wire.vocabulary import Vocabulary, VocabularyError

MATRICES = "matrices"
"""The folder of matrices in files of their own."""
RUN_ID_PATTERN = r"[a-z0-9][a-z0-9-]{0,79}"
_ID = re.compile(RUN_ID_PATTERN)


class RunFolder:
    """The paths and the write-once files of a run.

    Construction touches no file; a missing or unreadable file raises when it is read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps_path = path / "steps.sqlite"
        self.layouts_path = path / "layouts.sqlite"
        self.relayouts_path = path / "relayouts.sqlite"
        self.output_layouts_path = path / "output-layouts.sqlite"
        self.measures_path = path / "measures.sqlite"
        self.tiles_path = path / "tiles.sqlite"
        self.exchanges_path = path / "exchanges.sqlite"
        self.examinations_path = path / "examinations.sqlite"
        self.checkpoints = path / "checkpoints"
        self.waypoints = path / "waypoints"
        self.source_path = path / "source.txt"
        self.held_out_path = path / "held-out.npy"
        self.start_path = path / "start"
        self.landmarks_path = path / "landmarks.npy"

    @property
    def id(self) -> str:
        return self.path.name

    @cached_property
    def recipe(self) -> Recipe:
        """Return the recipe. Raises FormatError if the recipe is missing, or this version cannot read it."""
        try:
            data = json.loads(read_recipe_file(self.path / "recipe.json", open_regular))
            if isinstance(data, dict) and data.get("format", 0) > 3:  # pyright: ignore[reportOperatorIssue]
                raise FormatError("recipe.json was written by a newer version: update Lamplighter")
            return Recipe.model_validate(data)
        except OSError as error:
            raise FormatError(f"recipe.json: {error.strerror or error}") from error
        except ValidationError as error:
            raise FormatError(f"recipe.json: {explain_validation_error(error)}") from error
        except RecipeError as error:
            raise FormatError(str(error)) from error
        except (ValueError, TypeError, RecursionError) as error:
            raise FormatError(f"recipe.json: {quote_foreign(error)}") from error

    @property
    def created(self) -> float:
        """Return the creation time of the run, Unix seconds."""
        try:
            return (self.path / "recipe.json").stat().st_mtime
        except OSError:
            # A run without its recipe is still listed, with the reason.
            return self.path.stat().st_mtime

    @property
    def is_prepared(self) -> bool:
        """Return whether the corpus has been read into the folder."""
        return (self.path / "vocabulary.json").exists()

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Return the vocabulary. Raises MissingVocabularyError if the corpus has not been read yet,
        FormatError if the file is damaged.
        """
        try:
            return Vocabulary.from_json(self._read_text("vocabulary.json"))
        except FileNotFoundError as error:
            raise MissingVocabularyError(error.errno, error.strerror, error.filename) from error
        except OSError as error:
            raise FormatError(f"vocabulary.json: {error.strerror or error}") from error
        except (VocabularyError, UnicodeDecodeError) as error:
            raise FormatError(f"vocabulary.json: {quote_foreign(error)}") from error

    @cached_property
    def tokeniser(self) -> str:
        """Return the tokeniser as JSON, in the format of the `tokenizers` library; untrusted in an imported
        run. Raises MissingVocabularyError if the corpus has not been read yet, or the run was recorded by
        a client's own loop, FormatError if the file is damaged.
        """
        try:
            return self._read_text("tokeniser.json")
        except FileNotFoundError as error:
            raise MissingVocabularyError(error.errno, error.strerror, error.filename) from error
        except OSError as error:
            raise FormatError(f"tokeniser.json: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise FormatError(f"tokeniser.json: {quote_foreign(error)}") from error

    @cached_property
    def token_ids(self) -> NDArray[np.uint32]:
        """Return the corpus as token ids, shape (N,), memory-mapped and read-only. Raises FileNotFoundError
        if the corpus has not been read yet, FormatError if the file is damaged, or holds ids outside the
        vocabulary.
        """
        return self._load_ids(self.path / "corpus.npy")

    @cached_property
    def held_out_ids(self) -> NDArray[np.uint32] | None:
        """Return the held-out text as token ids, shape (M,), memory-mapped and read-only; None if the run has
        none. Raises FormatError if the file is damaged, or holds ids outside the vocabulary.
        """
        try:
            return self._load_ids(self.held_out_path)
        except FileNotFoundError:
            return None

    @cached_property
    def landmarks(self) -> NDArray[np.int64] | None:
        """Return the ids of the tokens that the map of a large vocabulary lays out, ascending, shape (L,):
        those that were chosen for this run, or those of `choose_landmarks`. None if all are laid out.
        Raises FormatError if the file is damaged, or holds ids outside the vocabulary.
        """
        if not self.landmarks_path.exists() or len(self.vocabulary) < MIN_TOKENS:
            return choose_landmarks(self.vocabulary)
        ids = self._load_ids(self.landmarks_path).astype(np.int64)
        if not MIN_LANDMARKS <= len(ids) <= LANDMARKS or (np.diff(ids) <= 0).any():
            raise FormatError(f"{self.landmarks_path.name}: not the landmarks of a map")
        return ids

    def write_landmarks(self, ids: NDArray[np.int64]) -> None:
        """Write which tokens the map lays out, ascending, shape (L,)."""
        self._save_ids(ids.astype(np.uint32), self.landmarks_path)

    def _load_ids(self, path: Path) -> NDArray[np.uint32]:
        remote_files.bring(path)
        try:
            os.close(open_regular(path, os.O_RDONLY))
            ids = np.load(path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise FormatError(f"{path.name}: {error.strerror or error}") from error
        except (ValueError, EOFError, OverflowError) as error:
            raise FormatError(f"{path.name}: {quote_foreign(error)}") from error
        if ids.dtype != np.uint32 or ids.ndim != 1 or (len(ids) and int(ids.max()) >= len(self.vocabulary)):
            raise FormatError(f"{path.name}: not token ids of this vocabulary")
        return ids

    def write_corpus(
        self,
        token_ids: NDArray[np.uint32],
        vocabulary: Vocabulary,
        tokeniser: str,
        held_out: NDArray[np.uint32] | None = None,
    ) -> None:
        """Write the corpus into the folder, which then needs no file outside it: the text, shape (N,), the
        tokeniser as JSON, and the held-out text, shape (M,), if there is any.
        """
        if held_out is not None:
            self._save_ids(held_out, self.held_out_path)
        digest = self._save_ids(token_ids, self.path / "corpus.npy")
        write_atomically(self.path / "corpus.json", json.dumps({"sha256": digest, "tokens": len(token_ids)}))
        write_atomically(self.path / "tokeniser.json", tokeniser)
        write_atomically(self.path / "vocabulary.json", vocabulary.to_json())

    def _save_ids(self, ids: NDArray[np.uint32], path: Path) -> str:
        """Write token ids to a file. Return its SHA-256 digest in hexadecimal."""
        temporary = path.with_name(path.name + ".part")
        with open(temporary, "wb", opener=open_like_folder) as file:
            array = np.ascontiguousarray(ids, dtype=np.uint32)
            # Not `np.save`, whose error on a full disk has no errno.
            np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
            file.write(array.data)
        sync_file(temporary)
        # In chunks: a corpus may be larger than memory.
        with temporary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        replace_durably(temporary, path)
        return digest

    def write_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Write the vocabulary of a run recorded by a client's own loop, which has no corpus in the folder."""
        write_atomically(self.path / "corpus.json", json.dumps({"tokens": 0}))
        write_atomically(self.path / "vocabulary.json", vocabulary.to_json())

    def corpus_facts(self) -> dict[str, Any]:
        """Return the `tokens` of the corpus, and the `sha256` of corpus.npy if the run has one. Raises
        FileNotFoundError if the corpus has not been read yet, FormatError if the file is damaged.
        """
        try:
            facts: Any = json.loads(self._read_text("corpus.json"))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise FormatError(f"corpus.json: {error.strerror or error}") from error
        except (ValueError, RecursionError) as error:
            raise FormatError(f"corpus.json: {error}") from error
        if not isinstance(facts, dict) or not isinstance(facts.get("tokens"), int):  # pyright: ignore[reportUnknownMemberType]
            raise FormatError("corpus.json: it does not say how many tokens the corpus has")
        return facts  # pyright: ignore[reportUnknownVariableType]

    def _read_text(self, name: str) -> str:
        with open(self.path / name, encoding="utf-8", opener=open_regular) as file:
            return file.read()

    def bytes_on_disk(self) -> int:
        return sum(size for _, size in self._sizes())

    def matrix_paths(self) -> list[Path]:
        return sorted((self.path / MATRICES).glob(f"{10 * '[0-9]'}-{4 * '[0-9]'}.safetensors"))

    def files_on_disk(self) -> Iterator[tuple[Path, int]]:
        """Yield the relative path and size in bytes of each file in the folder; hard links of one file count once."""
        for path, size in self._sizes():
            yield Path(path).relative_to(self.path), size

    def _sizes(self) -> Iterator[tuple[str, int]]:
        # Plain strings for speed: the run list calls this for hundreds of runs, and a follower every second.
        linked: set[tuple[int, int]] = set()
        folders = [str(self.path)]
        while folders:
            inside: list[str] = []
            # A WAL or temporary file may disappear between the listing and the stat, as may a folder.
            with suppress(FileNotFoundError), os.scandir(folders.pop()) as entries:
                for entry in entries:
                    # A link counts by itself: where it leads may be anywhere, or nowhere.
                    if entry.is_dir(follow_symlinks=False):
                        inside.append(entry.path)
                        continue
                    with suppress(FileNotFoundError):
                        facts = entry.stat(follow_symlinks=False)
                        if facts.st_nlink > 1:
                            if (inode := (facts.st_dev, facts.st_ino)) in linked:
                                continue
                            linked.add(inode)
                        yield entry.path, facts.st_size
            # In alphabetical order: a file in two folders counts in the first.
            folders += sorted(inside, reverse=True)


def write_atomically(path: Path, text: str) -> None:
    """Write a file atomically, and sync it and its name to disk."""
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "w", encoding="utf-8", opener=open_like_folder) as file:
        file.write(text)
    sync_file(temporary)
    replace_durably(temporary, path)


def is_run_id(name: str) -> bool:
    """Return whether a name is a valid id. It then has no separator, and may become part of a path."""
    return _ID.fullmatch(name) is not None


def is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def list_folders(path: Path) -> Iterator[Path]:
    """Yield the folders in `path` whose names are valid ids, in no order. Links are not followed. Raises
    OSError if `path` cannot be listed.
    """
    with os.scandir(path) as entries:
        for entry in entries:
            if is_run_id(entry.name) and entry.is_dir(follow_symlinks=False):
                yield path / entry.name
