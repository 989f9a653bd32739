"""The cost of a response in memory, known before it is computed, and its limits."""

from __future__ import annotations

from enum import Enum
from weakref import WeakSet

from starlette.responses import Response

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.web.http.content_negotiation import JSON, ResponseFormat
from lamplighter.web.http.problems import RefusedError

LARGE_RESPONSE_BYTES = 4 << 20
"""Cost in bytes from which a response counts as large and needs a slot."""
BOUNDED_COST = 0
"""The cost of a response that its parameters keep small."""
JSON_NUMBERS = 2_000_000
LIST_ENTRY_BYTES = 400
"""Bytes of memory of a list entry: a few numbers and short names, as Python objects and as JSON."""
EVENT_BYTES = 2_000
"""Bytes of memory of an event with its message."""
CENSUS_BYTES = 24
"""Bytes of memory of a token in a census, as arrays and as a frame."""
FROM_PYTHON = "open the run's folder from Python instead, with lamplighter.open"
TOKEN_ENTRY_BYTES = 40
"""Bytes of memory of a token id or a pair of coordinates in a JSON response."""
_MATRIX_BYTES = 1 << 30
_LARGE_MATRIX = 32 << 20

_priced: WeakSet[Response] = WeakSet()


class Pricing(Enum):
    """The way in which the cost of a route's responses is known."""

    STATED = "stated"
    """The route states the cost of each response before it is made; a response without a stated cost is not sent."""
    FIXED = "fixed"
    """Every response costs about the same, for any run of any size."""


class UnpricedAnswerError(Exception):
    """A route stated no cost for its response."""


def mark_priced(response: Response) -> Response:
    """Mark a response as one whose cost was stated, and return it."""
    _priced.add(response)
    return response


def require_priced(response: Response, route: str) -> Response:
    if response not in _priced:
        raise UnpricedAnswerError(f"{route} states no cost: make its answer with `send` of a reply")
    return response


def record_steps(run: RunFolder, newest_step: int) -> int:
    """Return an upper bound on the number of recorded steps: the newest step, or the bytes of its files if fewer."""
    bytes_on_disk = sum(path.stat().st_size for path in (run.steps_path, run.tiles_path) if path.exists())
    return min(newest_step + 1, bytes_on_disk)


def estimate_memory(run: RunFolder, size: int) -> int:
    """Return the bytes of memory for a response of `size` bytes: at least those of the matrix, if that is large.
    Raises RefusedError (422) if the matrix is too large for the server.
    """
    matrix = matrix_bytes(run)
    if matrix > _MATRIX_BYTES:
        raise RefusedError(
            422,
            f"the matrix of {run.id} has {matrix / 1e9:.1f} GB, more than this server sends: {FROM_PYTHON}",
        )
    return max(size, matrix if matrix > _LARGE_MATRIX else 0)


def matrix_bytes(run: RunFolder) -> int:
    return 4 * len(run.vocabulary) * run.recipe.model.dim


def pass_cost(run: RunFolder, size: int) -> int:
    """Return the cost of a response of `size` bytes for which the matrix is read once in blocks, of any size: a pass over a
    large one takes seconds, and counts as large."""
    return max(size, LARGE_RESPONSE_BYTES if matrix_bytes(run) > _LARGE_MATRIX else 0)


def streaming_cost(size: int, *, slow: bool) -> int:
    """Return the cost of a body of `size` bytes that is sent while it is read, which is capped at that of a large
    response. A slow read counts as large.
    """
    return LARGE_RESPONSE_BYTES if slow else min(size, LARGE_RESPONSE_BYTES)


def check_bytes(what: str, size: int, limit: int, less: str) -> None:
    """Refuse (422) a body of more than `limit` bytes. `what` is a plural; `less` says how to ask for less."""
    if size > limit:
        raise RefusedError(
            422, f"{what} are {size / 1e6:,.0f} MB, at most {limit / 1e6:,.0f} are sent at once: {less}"
        )


def check_json_numbers(form: ResponseFormat, numbers: int, less: str, *, what: str = "") -> None:
    """Refuse (422) a JSON body of too many numbers. `less` says how to ask for less; `what`, a plural, says what
    there are too many of.
    """
    if form is JSON and numbers > JSON_NUMBERS:
        many = (
            f"{what} are {numbers:,} numbers, too many for JSON"
            if what
            else f"{numbers:,} numbers are too many for JSON"
        )
        raise RefusedError(422, f"{many}, at most {JSON_NUMBERS:,}: {less}")
