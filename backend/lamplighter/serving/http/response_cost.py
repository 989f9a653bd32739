"""The price of a response in memory, known before it is computed, and what is too dear."""

from __future__ import annotations

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.http.content_negotiation import JSON, ResponseFormat
from lamplighter.serving.http.problems import RefusedError

LARGE_RESPONSE_BYTES = 4 << 20
"""Bytes from which on a response counts as large and needs a slot."""
BOUNDED_COST = 0
"""The cost of a response that the limits of its parameters keep small."""
JSON_NUMBERS = 2_000_000
_MATRIX_BYTES = 1 << 30
_LARGE_MATRIX = 32 << 20


def estimate_memory(run: RunFolder, size: int) -> int:
    """Return the bytes of memory that a response of `size` bytes takes: at least the matrix's, if that is large.

    Raises:
        RefusedError: the matrix is larger than a server should hold (422).
    """
    matrix = 4 * len(run.vocabulary) * run.recipe.model.dim
    if matrix > _MATRIX_BYTES:
        raise RefusedError(
            422,
            f"the matrix of {run.id} has {matrix / 1e9:.1f} GB, more than this server sends: open the run's folder "
            "from Python instead, with lamplighter.open",
        )
    return max(size, matrix if matrix > _LARGE_MATRIX else 0)


def streaming_cost(size: int, *, slow: bool) -> int:
    """Return the cost of a body of `size` bytes that is sent as it is read, so that its size beyond a large response's
    does not matter. A slow read counts as a large response.
    """
    return LARGE_RESPONSE_BYTES if slow else min(size, LARGE_RESPONSE_BYTES)


def check_bytes(what: str, size: int, limit: int, less: str) -> None:
    """Refuse a body of more than `limit` bytes. `what` is a plural, `less` says how to ask for less.

    Raises:
        RefusedError: it is too large (422).
    """
    if size > limit:
        raise RefusedError(
            422, f"{what} are {size / 1e6:,.0f} MB, at most {limit / 1e6:,.0f} come at once: {less}"
        )


def check_json_numbers(form: ResponseFormat, numbers: int, less: str, *, what: str = "") -> None:
    """Refuse a JSON body of more numbers than JSON should carry. `less` says how to ask for less; `what`, a plural, says
    of what there are so many.

    Raises:
        RefusedError: they are too many (422).
    """
    if form is JSON and numbers > JSON_NUMBERS:
        many = (
            f"{what} are {numbers:,} numbers, too many for JSON"
            if what
            else f"{numbers:,} numbers are too many for JSON"
        )
        raise RefusedError(422, f"{many}, at most {JSON_NUMBERS:,}: {less}")
