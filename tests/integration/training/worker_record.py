"""The record of a trainer under test, and requests to it."""

from __future__ import annotations

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader


def digests(run: RunFolder) -> dict[int, bytes]:
    with StepsReader(run.steps_path) as reader:
        return reader.digests(1, reader.newest_step()[1])


def ask(run: RunFolder, kind: str, **body: object) -> None:
    RequestsWriter(run.path, "test").add(kind, body)
