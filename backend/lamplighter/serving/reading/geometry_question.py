"""A question about the geometry of the embedding at a step: its answering step, tag and matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Protocol, TypedDict

import numpy as np
from fastapi import Depends
from fastapi.routing import APIRoute
from starlette.requests import Request

from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import OpenSnapshot, Snapshot, require_fit
from lamplighter.serving.reading.parameters import AttemptParam, KeptStep, RunId
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.run_index import RunIndex
from lamplighter.serving.reading.token_table import TokenTable
from lamplighter.serving.schemas.geometry import Word
from lamplighter.serving.schemas.vectors import Neighbour
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.web.http.reply import Reply
from lamplighter.web.http.response_cost import FROM_PYTHON, LARGE_RESPONSE_BYTES, estimate_memory, pass_cost
from lamplighter.web.http.route_table import AnswerFacts
from lamplighter.web.http.step_range import resolve_step_range
from living_map.rows import BLOCK_BYTES

GEOMETRY_ANSWERS = AnswerFacts(
    etag=True,
    errors=(409, 503),
    headers=("X-Lamplighter-Step", "X-Lamplighter-Attempt", "X-Lamplighter-Exact"),
)
"""Facts about the answers of every route about one step."""
ARRAY_ENTRY_BYTES = 60
"""Bytes of memory of a number in an answer, as a Python object and as JSON."""

MAX_WORK = 400_000_000_000
"""Maximum number of multiplications for one answer: a few seconds of work."""
SCALING_WORK = 250
"""Multiplications charged for each number when a row is scaled to length one, because the passes over memory are
slow."""


class AnsweringStep(TypedDict):
    """The fields of an answer that name its step."""

    attempt: int
    step: int
    exact: bool


@dataclass(frozen=True)
class GeometryQuestion:
    """A question about one step with a tagged reply, before its cost is stated."""

    catalog: RunCatalog
    reply: Reply
    table: TokenTable
    facts: AnsweringStep

    def read_matrix(self, history: MatrixHistory) -> Snapshot:
        """Read the matrix that answers it. Raises NoSnapshotError if it is no longer kept, FormatError if it does
        not fit its run.
        """
        matrix = self.catalog.matrix_at(self.reply.run, history, self.facts["step"], nearest=False)
        require_fit(self.reply.run, matrix)
        return matrix

    def open_rows(self) -> Snapshot | OpenSnapshot:
        """Open the record and the matrix, as `read_rows` does."""
        with self.catalog.open_history(self.reply.run) as history:
            return self.read_rows(history)

    def read_rows(self, history: MatrixHistory) -> Snapshot | OpenSnapshot:
        """Return what `read_matrix` does; but a large matrix in a file of its own is not read."""
        matrix = self.catalog.rows_at(self.reply.run, history, self.facts["step"], nearest=False)
        require_fit(self.reply.run, matrix)
        return matrix

    def open_matrix(self) -> Snapshot:
        with self.catalog.open_history(self.reply.run) as history:
            return self.read_matrix(history)

    def pass_cost(self, numbers: int) -> int:
        """Return the cost of an answer of a number of values that reads the matrix in blocks, a few times."""
        return pass_cost(self.reply.run, ARRAY_ENTRY_BYTES * numbers)

    def large_cost(self) -> int:
        """Return the cost of an answer that takes most of a second, and is made once for concurrent requests."""
        matrix = 4 * len(self.table) * self.reply.run.recipe.model.dim
        return LARGE_RESPONSE_BYTES + estimate_memory(self.reply.run, 3 * matrix + 3 * BLOCK_BYTES)

    def check_work(self, multiplications: int, what: str) -> None:
        """Refuse (422) an answer of more than `MAX_WORK` multiplications, minutes of processor time. `what`, a
        plural, names what is asked for.
        """
        if multiplications > MAX_WORK:
            size = f"{len(self.table):,} x {self.reply.run.recipe.model.dim:,}"
            raise RefusedError(422, f"{what} in a matrix of {size} take minutes: {FROM_PYTHON}")

    def word(self, token_id: int) -> Word:
        return Word(
            token_id=token_id, token=self.table.text(token_id), class_=self.table.class_name(token_id)
        )

    def neighbours(self, ids: np.ndarray, cosines: np.ndarray) -> list[Neighbour]:
        """Return tokens with their cosines, shape (N,) each, as an answer lists them."""
        return [
            Neighbour(
                token_id=token_id,
                token=self.table.text(token_id),
                class_=self.table.class_name(token_id),
                cosine=cosine,
            )
            for token_id, cosine in zip(ids.tolist(), cosines.tolist(), strict=True)
        ]


class RunReaders(Protocol):
    """The parts of a server that find runs and their steps, and start replies about them."""

    @property
    def catalog(self) -> RunCatalog: ...

    @property
    def run_index(self) -> RunIndex: ...

    def reply(self, request: Request, run: str) -> Reply:
        """Start the reply of a route about a run."""
        ...


@dataclass(frozen=True)
class GeometryRequest:
    """A request about the geometry of the embedding at a step, before reading."""

    request: Request
    run: str
    step: int | None
    """The requested step; None: the newest."""
    attempt: int | None
    """The attempt in which the step must count."""

    def open(self) -> GeometryQuestion:
        """Find the answering step, and tag the reply with the route and its own parameters. Blocks.

        Raises NoSuchRunError; NoSnapshotError if no step was kept exactly at or before the requested one;
        RefusedError: the step does not count in that attempt (409), there is no such step or attempt (404), or
        an attempt is named without a step (422).
        """
        readers: RunReaders = self.request.app.state.services
        reply, step = readers.reply(self.request, self.run), self.step
        if self.attempt is not None and step is None:
            message = "attempt needs a step"
            raise RefusedError(422, f"step: {message}", [FieldError(field="step", message=message)])
        catalog = readers.catalog
        table = catalog.token_table(reply.run)
        with catalog.open_history(reply.run) as history:
            range_ = resolve_step_range(reply.run, history.steps, 0, step, self.attempt)
            exact_steps = readers.run_index.exact_steps(reply.run, history, max(0, range_.last))
        if not len(exact_steps):
            raise NoSnapshotError(range_.last, None)
        kept = int(exact_steps[-1])
        exact = step is None or kept == step
        facts = AnsweringStep(attempt=range_.lineage.attempt_at(kept), step=kept, exact=exact)
        # If the step was not kept exactly, a nearer one may follow.
        lasting = self.attempt is not None and kept == step
        reply.tag(*self._question(), facts["attempt"], kept, exact, immutable=lasting)
        reply.add_facts(attempt=facts["attempt"], step=kept, exact=exact)
        return GeometryQuestion(catalog, reply, table, facts)

    def _question(self) -> tuple[object, ...]:
        """Return the route and the values of its own parameters: unknown ones do not change the answer."""
        route: APIRoute = self.request.scope["route"]
        names = sorted(parameter.alias for parameter in route.dependant.query_params)
        return route.path, [(name, self.request.query_params.getlist(name)) for name in names]


async def _geometry_request(
    request: Request, run: RunId, step: KeptStep = None, attempt: AttemptParam = None
) -> GeometryRequest:
    return GeometryRequest(request, run, step, attempt)


GeometryRequestDep = Annotated[GeometryRequest, Depends(_geometry_request)]
"""The annotation of the parameter that passes run, step and attempt to a route."""


def spearman_deviation(count: int) -> float | None:
    """Return the standard deviation of Spearman's correlation of `count` pairs of independent numbers; None for fewer
    than two."""
    return (count - 1) ** -0.5 if count > 1 else None
