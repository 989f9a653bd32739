"""A checkpoint that is fetched: a folder with one tensor, as it was stored, in a safetensors file of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from lamplighter.cli.checkpoints.remote.errors import UnavailableError
from lamplighter.cli.checkpoints.remote.ranged_client import RangedClient
from lamplighter.cli.checkpoints.remote.remote_tensor import RemoteTensor


class StoredCheckpoint:
    """The folder of one checkpoint. An unfinished file goes on where a killed process left it."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it may not exist yet."""
        self.folder = folder
        self._file, self._part = folder / "model.safetensors", folder / "model.safetensors.part"
        self._origin = folder / "origin.json"

    def is_version(self, version: str, wanted: str | None) -> bool:
        """Return whether the whole tensor of a version of the model is here.

        Args:
            version: the commit.
            wanted: the name of the tensor or its end after a dot; None for the one that was chosen.
        """
        if not version or not self._file.is_file():
            return False
        origin = self._read_origin()
        name = str(origin.get("tensor", ""))
        return origin.get("version") == version and (wanted is None or f".{name}".endswith(f".{wanted}"))

    def fetch(
        self, client: RangedClient, tensor: RemoteTensor, version: str, on_bytes: Callable[[int], None]
    ) -> None:
        """Read a tensor into the folder, or what is lacking of it.

        Args:
            client: reads it.
            tensor: its place.
            version: the commit of the model, if there is one.
            on_bytes: called with the number of bytes that have come, also for those that were here.

        Raises:
            FetchError: it cannot be read; what has come stays.
            OSError: it cannot be written.
        """
        entry = tensor.entry
        facts = {"dtype": entry.type, "shape": entry.shape, "data_offsets": [0, tensor.size]}
        header = json.dumps({"__metadata__": {"source": tensor.url}, tensor.name: facts}).encode()
        head = len(header).to_bytes(8, "little") + header
        origin = {
            "url": tensor.url.rpartition("/")[2],
            "tag": tensor.identity.tag,
            "size": tensor.identity.size,
            "tensor": tensor.name,
            "place": [entry.start, entry.end],
            "version": version,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        # Without a tag, nothing says that the file there is the one of which a part is here.
        same = bool(tensor.identity.tag) and self._read_origin() | {"version": version} == origin
        whole = len(head) + tensor.size
        if not same:
            self._file.unlink(missing_ok=True)
            self._part.unlink(missing_ok=True)
        self._origin.write_text(json.dumps(origin), encoding="utf-8")
        if self._file.is_file() and self._file.stat().st_size == whole:
            on_bytes(tensor.size)
            return
        with self._part.open("ab") as file:
            here = file.tell()
            if not len(head) <= here <= whole:
                file.truncate(0)
                file.write(head)
                here = len(head)
            come = here - len(head)
            on_bytes(come)
            if come < tensor.size:
                _require_room(self.folder, tensor.size - come)
                for piece in client.read_range(
                    tensor.url, entry.start + come, tensor.size - come, tensor.identity
                ):
                    file.write(piece)
                    on_bytes(len(piece))
        self._part.replace(self._file)

    def _read_origin(self) -> dict[str, object]:
        try:
            found: object = json.loads(self._origin.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def _require_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise UnavailableError(
            f"{size / 1e6:,.0f} MB are to be written, and {free / 1e6:,.0f} MB are free on the disk"
        )
