"""The cost of a run: energy, arithmetic, bytes, and the same at other model sizes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from lamplighter.cost.run_cost import cost_steps, read_run_cost
from lamplighter.runfolder.reading.spent_energy import RunEnergy
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.shared_steps import SharedStep, read_shared_step
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.cost import Cost
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.response_cost import LIST_ENTRY_BYTES
from lamplighter.web.http.route_table import AnswerFacts, Routes

routes = Routes("runs")


@routes.get(
    "/api/runs/{run}/cost",
    polled=True,
    pool=Pool.CHEAP,
    response_model=Cost,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def get_cost(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the cost of a run so far: energy with the method and its error, floating-point operations and bytes of a
    step by formula, a curve of cost and loss, and models of other sizes. Unknown values are null.
    """
    reply = services.reply(request, run)
    # 404 before the corpus is read.
    services.catalog.token_table(reply.run)
    with services.catalog.open_steps(reply.run) as reader:
        attempt, newest = reader.newest_step()
        steps = cost_steps(newest, reply.run.recipe.cadence.keyframe_every)
        size = sum(reader.pulse_sizes(steps))
        now = (attempt, newest, reader.newest_energy(1), str(reader.phase()))
    measured = None
    with suppress(FileNotFoundError), MeasuresReader(reply.run.measures_path) as measures:
        measured = measures.size()
    reply.tag("cost", now, measured, immutable=False)
    return reply.send(
        size + LIST_ENTRY_BYTES * len(steps), lambda: json_body(_read(services, reply.run, steps))
    )


def _read(services: Services, run: RunFolder, steps: list[int]) -> Cost:
    with services.catalog.open_steps(run) as reader:
        cost = read_run_cost(run, reader, steps)
        lineage = reader.lineage()
    fields = dict(vars(cost))
    shared = read_shared_step(run, lineage, cost.step) if lineage else None
    fields["shared"] = None if shared is None else _describe_shared(cost.step, shared)
    watts_now = fields.pop("watts_now")
    fields["energy"] = None if cost.energy is None else _describe_energy(cost.energy, watts_now)
    return Cost.model_validate(fields)


def _describe_energy(energy: RunEnergy, watts_now: float | None) -> dict[str, object]:
    spent, method, error = energy.spent, energy.used.method, energy.error
    return {
        "method": method.name,
        "measured": energy.measured,
        "mixed": energy.used.mixed,
        "without_card": method.without_card,
        "watts_assumed": method.watts,
        "error": None if error is None else asdict(error),
        "joules": spent.joules,
        "processor_seconds": spent.processor_seconds,
        "seconds": spent.seconds,
        "computed": spent.steps,
        "since": energy.since,
        "step": energy.step,
        "joules_per_step": spent.joules / spent.steps if spent.steps else None,
        "watts_mean": spent.joules / spent.seconds if spent.seconds else None,
        "watts_now": watts_now,
    }


def _describe_shared(step: int, shared: SharedStep) -> dict[str, object]:
    exchange, split = shared.exchange, shared.split
    expected = split.expected_bytes(exchange)
    owned = zip(split.owners, split.columns, exchange.worked, exchange.waited, shared.slowest, strict=True)
    return {
        "step": step,
        "processes": [
            {
                "offset": offset,
                "rows": rows,
                "columns": columns,
                "worked": worked,
                "waited": waited,
                "slowest": slowest,
            }
            for (offset, rows), columns, worked, waited, slowest in owned
        ],
        "bytes": [
            {
                "kind": kind,
                "bytes": size,
                "formula": split.formulas.get(kind),
                "expected": expected.get(kind),
            }
            for kind, size in exchange.bytes.items()
        ],
        "steps": shared.steps,
        "lagging": shared.lagging,
    }
