"""Real projector processes and their layouts."""

from __future__ import annotations

from collections.abc import Callable

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.runs import Process

Start = Callable[..., Process]


def layouts(folder: RunFolder, method: Method) -> list[Layout]:
    """Return all layouts of a method, in the order they were made."""
    try:
        with LayoutsReader(folder.layouts_path) as reader:
            return [
                decode_as(reader.layout_record(e.id), Layout)
                for e in reader.layout_entries()
                if e.method == method
            ]
    except FileNotFoundError:
        return []


def ended(process: Process, seconds: float = 60) -> int:
    _, errors = process.communicate(timeout=seconds)
    assert errors == b"", errors.decode()
    return process.returncode
