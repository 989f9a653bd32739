"""Untrusted files: none outside the folder that names it, no pipe or device, no pickle."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from typing import NoReturn

from lamplighter.client.errors import InputError

_TORCH = (".pt", ".pth", ".ckpt", ".bin", ".index.json")
_GENSIM = (".kv", ".model", ".wordvectors")
_OTHERS = (".pkl", ".pickle", ".joblib", ".dill")
_PICKLE_BEGINS = (b"PK\x03\x04", b"\x80")
"""First bytes of torch's files (a zip), and of pickles of all protocols in use."""


def is_pickle_name(path: Path) -> bool:
    """Return whether files of this name are pickles. A `.bin` may be word vectors, so its content is checked."""
    return path.name.lower().endswith((*_TORCH[:3], *_GENSIM, *_OTHERS))


def is_pickle_begin(data: bytes) -> bool:
    return data.startswith(_PICKLE_BEGINS)


def refuse_pickle(path: Path) -> NoReturn:
    """Raise an InputError that says how to save a pickle's content in a readable format."""
    name = path.name.lower()
    if name.endswith(_GENSIM):
        way = (
            "load it with gensim and give its vectors: lamplighter.still(folder, model.wv), or save them with"
            " save_word2vec_format(path, binary=True)"
        )
    elif name.endswith(_TORCH):
        way = (
            "load it where you trust it and save it as safetensors: model.save_pretrained(folder), or"
            " safetensors.torch.save_file({'embedding': weight}, path)"
        )
    else:
        way = "load it where you trust it and save the matrix with numpy.save, or give the array itself"
    raise InputError(f"{path.name}: a pickle can run code when opened, so it is not read: {way}")


def require_plain_file(path: Path) -> None:
    """Refuse a pipe or a device before it is opened, because opening a pipe waits for its other end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(f"{path.name}: not a plain file: save its output in a file, and name that one")


MAX_JSON = 64 << 20
"""Maximum bytes of an index or a configuration."""


def locate_file(folder: Path, name: object) -> Path:
    """Return the path of a file in a folder, from a relative name in one of the folder's files.

    A link may lead out of the folder only in the Hugging Face cache, which links each file of a snapshot to the blobs
    of the same model.
    """
    shown = f"{folder.name}: {str(name)[:200]!r}"
    if not isinstance(name, str) or not name or "\\" in name or ":" in name or "\0" in name:
        raise InputError(f"{shown} is not the name of a file in this folder")
    parts = PurePosixPath(name).parts
    if PurePosixPath(name).is_absolute() or ".." in parts:
        raise InputError(f"{shown} is outside this folder and is not read")
    path = folder.joinpath(*parts)
    try:
        real, inside = path.resolve(strict=True), folder.resolve(strict=True)
        is_plain = stat.S_ISREG(real.stat().st_mode)
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else "a circular link"
        raise InputError(f"{shown} cannot be read: {why}") from error
    if not real.is_relative_to(inside) and not _is_blob_of(inside, real):
        raise InputError(f"{shown} is a link to a file outside this folder and is not read")
    if not is_plain:
        raise InputError(f"{shown} is not a plain file")
    return path


def has_file(folder: Path, name: str) -> bool:
    return os.path.lexists(folder / name) and not (folder / name).is_dir()


def read_text_file(path: Path, most: int = MAX_JSON) -> str:
    require_plain_file(path)
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise InputError(f"{path.name}: more than {most:,} bytes, too large to be read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name}: not UTF-8 at byte {error.start}") from error


def _is_blob_of(snapshot: Path, real: Path) -> bool:
    return snapshot.parent.name == "snapshots" and real.parent == snapshot.parent.parent / "blobs"
