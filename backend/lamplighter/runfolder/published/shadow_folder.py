"""Published runs as a folder of runs: small files are here, and a file that takes no room stands for each large one.

All other code reads a run folder. Its content comes from a stranger, so it holds only files that a run has, of bounded size,
each the one that its manifest lists; and files that are parsed are checked as an import checks them.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lamplighter.platform.printable import quote_foreign
from lamplighter.platform.private_modes import make_private_folder, open_like_folder
from lamplighter.runfolder import remote_files
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.run_checks import (
    check_vocabulary,
    read_json_object,
    require_bounded_json,
)
from lamplighter.runfolder.published.manifest import (
    Manifest,
    PublishedFile,
    list_runs,
    object_key,
    read_manifest,
    require_digest,
    split_digests,
)
from lamplighter.runfolder.published.object_store import ObjectReader
from lamplighter.runfolder.published.remote_object import BlockCache, PromptReader, RemoteObject, fetch_small
from lamplighter.runfolder.reading.current_map import count_districts
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.reading.step_figures import FIGURES_FILE
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables import examinations, layouts, measures, steps, tiles

_THREADS = 8
_LARGE = 256 << 10
"""Bytes from which a file is brought only when it is needed."""
_ALWAYS = ("recipe.json", "vocabulary.json", "corpus.json", "tokeniser.json")
"""Files that are checked at once, however large."""
_SCHEMAS = {
    "steps.sqlite": steps.WHOLE_SCHEMA,
    "layouts.sqlite": layouts.SCHEMA,
    "relayouts.sqlite": layouts.SCHEMA,
    "output-layouts.sqlite": layouts.SCHEMA,
    "measures.sqlite": measures.SCHEMA,
    "tiles.sqlite": tiles.SCHEMA,
    "examinations.sqlite": examinations.SCHEMA,
}


class PublishedRuns:
    """The runs at an address in a folder of their own. Close it before the folder is removed."""

    def __init__(self, objects: ObjectReader, folder: Path) -> None:
        """Open all runs of the index at an address, or the one run that lies there, in `folder`, which is
        empty. Raises StoreError if the store cannot be read, or nothing is published there.
        """
        self._objects, self._folder, self._cache = objects, folder.resolve(), BlockCache()
        self._prompt = PromptReader(objects)
        self.size = 0
        """Bytes of all runs."""
        self.runs: list[str] = []
        self.refused: dict[str, str] = {}
        """Why others cannot be opened, by id."""
        with ThreadPoolExecutor(_THREADS) as pool:
            tasks = {run: pool.submit(self._open, prefix, run) for run, prefix in list_runs(objects)}
        for run, task in tasks.items():
            try:
                manifest = task.result()
            except FormatError as error:
                self.refused[run or objects.place] = str(error)
            else:
                self.size += manifest.total_bytes
                self.runs.append(manifest.run)
        self._prompt.hurry()

    def close(self) -> None:
        remote_files.unregister_below(self._folder)

    def __enter__(self) -> PublishedRuns:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, prefix: str, expected: str) -> Manifest:
        manifest = read_manifest(self._objects, prefix)
        if expected not in ("", manifest.run):
            raise FormatError(f"{self._objects.place}: {prefix}current is of another run: refused")
        digests = b""
        if manifest.blocks.size:
            digests = self._objects.read_part(
                object_key(prefix, manifest.blocks.sha256), 0, manifest.blocks.size
            )
            require_digest(digests, manifest.blocks, f"{self._objects.place}: its list of digests")
        blocks = split_digests(manifest, digests)
        making = self._folder / f".{manifest.run}"
        make_private_folder(making)
        for file in manifest.files:
            path = making / file.path
            make_private_folder(path.parent, exist_ok=True)
            key = object_key(prefix, file.sha256)
            is_late = file.is_database or file.path == FIGURES_FILE or file.size >= _LARGE
            if file.path in _ALWAYS or not is_late:
                fetch_small(self._objects, key, file, path)
            else:
                self._place(self._folder / manifest.run / file.path, path, key, file, blocks[file.path])
        _check_small(RunFolder(making))
        os.utime(making / "recipe.json", (manifest.created, manifest.created))
        making.rename(self._folder / manifest.run)
        # The list of runs needs these, and must not wait for the store when it is asked.
        opened = RunFolder(self._folder / manifest.run)
        read_status(opened)
        count_districts(opened)
        return manifest

    def _place(self, final: Path, path: Path, key: str, file: PublishedFile, digests: bytes) -> None:
        """Let an empty file of its size stand for a file."""
        with open(path, "wb", opener=open_like_folder) as target:
            target.truncate(file.size)
        schema = _SCHEMAS.get(file.path, "")
        remote_files.register(final, RemoteObject(self._prompt, key, file, self._cache, digests, schema))


def _check_small(run: RunFolder) -> None:
    """Check what is parsed of a run, as an import does. Raises FormatError if it is refused."""
    recipe = run.recipe
    recorded = recipe.corpus.kind == "recorded"
    try:
        require_bounded_json(
            run.path / "vocabulary.json", None if recorded else recipe.corpus.vocabulary_size
        )
        check_vocabulary(run.vocabulary)
        run.corpus_facts()
        if (run.path / "tokeniser.json").exists():
            read_json_object(run.path / "tokeniser.json")
    except OSError as error:
        raise FormatError(f"its files cannot be read: {quote_foreign(error)}") from error
