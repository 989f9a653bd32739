"""Runs: list, show, create, delete."""

from __future__ import annotations

from starlette.responses import Response

from lamplighter.recipe import Recipe
from lamplighter.runfolder.reading.disk_usage import bytes_by_part
from lamplighter.runfolder.reading.run_status import wants_training
from lamplighter.runfolder.sqlite.database import FormatError
from lamplighter.serving.http.problems import Fault, Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.schemas.base import Items, as_json
from lamplighter.serving.schemas.runs import AttemptFacts, NewRun, Record, RecordParts, Run, RunInFull
from lamplighter.serving.services import AHouse, House

routes = Routes("runs")

MOST_ATTEMPTS = 1_000


@routes.get("/api/runs", response_model=Items[Run])
def runs(house: AHouse) -> Response:
    """Return every run, newest first. A folder that cannot be read is listed with the reason."""
    return as_json(Items[Run](items=house.library.list()))


@routes.get("/api/runs/{run}", response_model=RunInFull)
def run(run: str, house: AHouse) -> Response:
    """Return a run, with its contents once its corpus is read."""
    return as_json(house.library.describe_fully(house.library.find(run)))


@routes.get("/api/runs/{run}/record", response_model=Record)
def record(run: str, house: AHouse) -> Response:
    """Return the attempts at a run, and the disk usage of its record by part."""
    found = house.library.find(run)
    attempts: list[AttemptFacts] = []
    if found.steps_path.exists():
        with house.library.steps(found) as reader:
            attempts = [
                AttemptFacts(attempt=attempt, first_step=first, opened=opened)
                for attempt, first, opened in reader.attempts()[-MOST_ATTEMPTS:]
            ]
    return as_json(Record(attempts=attempts, parts=RecordParts(**bytes_by_part(found))))


@routes.post("/api/runs", status_code=201, response_model=RunInFull)
def create(asked: NewRun, house: AHouse) -> Response:
    """Create a run; a trainer starts on it within a second."""
    recipe, text = _text(asked, house)
    _room(house)
    made = house.library.shelf.create(recipe, text)
    if asked.upload is not None:
        house.uploads.drop(asked.upload)
    return as_json(house.library.describe_fully(made), 201, {"Location": f"/api/runs/{made.id}"})


@routes.delete("/api/runs/{run}", status_code=204)
def delete(run: str, house: AHouse) -> Response:
    """Move a run to the trash folder. Refused while a trainer holds it."""
    house.library.shelf.trash(house.library.find(run))
    return Response(status_code=204)


def _text(asked: NewRun, house: House) -> tuple[Recipe, str | None]:
    """Return the recipe, and the uploaded text for it (None for corpora that need none).

    Raises:
        Refused: the recipe and the upload do not fit together, or the upload is gone (422).
    """
    recipe = asked.recipe
    if recipe.corpus.kind == "recorded":
        fault = (
            "runs of the kind 'recorded' are written by a training loop of their own; see lamplighter.record"
        )
        raise Refused(422, fault, [Fault(field="recipe.corpus.kind", message=fault)])
    if recipe.corpus.kind != "text":
        if asked.upload is not None:
            fault = f"only the corpus kind 'text' takes an upload, not '{recipe.corpus.kind}'"
            raise Refused(422, f"upload: {fault}", [Fault(field="upload", message=fault)])
        return recipe, None
    if asked.upload is None:
        fault = "the corpus kind 'text' needs one: send the text to /api/uploads first"
        raise Refused(422, f"upload: {fault}", [Fault(field="upload", message=fault)])
    try:
        text, name = house.uploads.text(asked.upload)
    except Refused as refused:
        raise Refused(422, refused.detail, [Fault(field="upload", message=refused.detail)]) from None
    if not recipe.corpus.name:
        recipe = recipe.model_copy(update={"corpus": recipe.corpus.model_copy(update={"name": name})})
    return recipe, text


def _room(house: House) -> None:
    """Raise Refused (409) if as many runs as this server allows are in training or waiting for a trainer."""
    at_work = 0
    for one in house.library.shelf.runs():
        try:
            at_work += wants_training(one) and not house.given_up(one.id)
        except (FormatError, ValueError, OSError):
            # An unreadable run is not trained either.
            continue
    if at_work >= house.settings.max_trainers:
        few = house.settings.max_trainers
        raise Refused(
            409,
            f"{at_work} {'run is' if at_work == 1 else 'runs are'} being trained and this server trains at most "
            f"{few} at a time; stop one, or wait until one ends",
        )
