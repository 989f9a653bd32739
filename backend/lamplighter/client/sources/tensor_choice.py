"""The choice of a model's token embedding among its matrices."""

from __future__ import annotations

from collections.abc import Mapping

from lamplighter.client.errors import InputError

_KNOWN = (
    # T5 and BART, whose encoder and decoder may each list it again.
    "shared",
    "wte",
    "embed_tokens",
    "word_embeddings",
    "tok_embeddings",
    "embed_in",
    "token_embedding",
    "token_embeddings",
    "token_embedding_table",
    "tok_emb",
    "word_embedding",
    "embedding",
    "embeddings",
)
"""Last parts of the names of token embeddings (GPT-2, Llama, BERT, ...), the most certain first."""
_MAX_LISTED = 8


def choose_tensor(
    where: str, shapes: Mapping[str, tuple[int, ...]], rows: int | None, wanted: str | None
) -> str:
    """Return the name of the token embedding among the matrices of a model.

    Args:
        where: begins the messages.
        shapes: (V, D) of each matrix by name.
        rows: the number of tokens; a padded embedding may have more rows. None if unknown.
        wanted: the requested name, or its end after a dot.
    """
    likely = sorted(shapes, key=lambda name: (_rank(name), _misfit(shapes[name], rows)))
    if wanted is not None:
        found = [name for name in shapes if name == wanted] or [
            name for name in shapes if f".{name}".endswith((f".{wanted}", f".{wanted}.weight"))
        ]
        if len(found) == 1:
            return found[0]
        what = (
            f"several tensors are called {wanted[:200]!r}"
            if found
            else f"there is no tensor {wanted[:200]!r}"
        )
        raise InputError(f"{where}: {what}; there are {_list_names(found or likely)}")
    exact = [name for name in likely if rows is None or shapes[name][0] == rows]
    padded = [name for name in likely if rows is not None and shapes[name][0] > rows]
    named = [name for name in exact if any(word in name.lower() for word in ("emb", "wte"))]
    for some in (_surest(exact), named, _surest(padded), exact):
        if len(some) == 1:
            return some[0]
        if some:
            fit = "could be the embedding" if rows is None else f"have {shapes[some[0]][0]:,} rows"
            raise InputError(f"{where}: several matrices {fit}; name one: {_list_names(some)}")
    listed = _list_names([f"{name} ({' x '.join(f'{n:,}' for n in shapes[name])})" for name in likely])
    needed = "to choose from" if rows is None else f"has {rows:,} rows, as many as the vocabulary has tokens"
    raise InputError(f"{where}: no matrix {needed}; there are {listed}")


def is_known_embedding(name: str) -> bool:
    return _rank(name) < len(_KNOWN)


def _rank(name: str) -> int:
    last = name.removesuffix(".weight").rpartition(".")[2].lower()
    return _KNOWN.index(last) if last in _KNOWN else len(_KNOWN)


def _surest(names: list[str]) -> list[str]:
    known = [name for name in names if is_known_embedding(name)]
    return [name for name in known if _rank(name) == _rank(known[0])]


def _misfit(shape: tuple[int, ...], rows: int | None) -> int:
    return 0 if rows is None else abs(shape[0] - rows)


def _list_names(names: list[str]) -> str:
    listed = ", ".join(name[:80] for name in names[:_MAX_LISTED]) or "none"
    return f"{listed}, and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else listed
