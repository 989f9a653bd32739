"""The requests that the trainer applies."""

from __future__ import annotations

from pathlib import Path

from lamplighter.recipe import Recipe
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps import StepsReader, StepsWriter
from lamplighter.training.control import RunControl


def test_what_concerns_the_map_is_left_to_the_projector(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(Recipe())
    requests = RequestsWriter(run.path, "s1")
    requests.add("map", {"neighbours": 9})
    requests.add("pace", {"steps_per_second": 4})
    requests.add("map", {"neighbours": 10})
    with StepsWriter(run.steps_path) as writer, StepsReader(run.steps_path) as reader:
        writer.start_attempt(0)
        control = RunControl(run, writer, reader)
        control.poll(0, now=True)
        assert control.steps_per_second == 4
        assert [applied.kind for applied in reader.applied()] == ["pace"]
