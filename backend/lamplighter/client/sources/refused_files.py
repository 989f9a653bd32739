"""Files that can run code when opened, which are refused with an alternative for each."""

from __future__ import annotations

from pathlib import Path
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
