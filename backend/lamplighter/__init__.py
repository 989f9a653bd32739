"""Lamplighter: watch a language model learn.

The Python API (`docs/client.md`): `open` reads a run, `open_set` a set of runs, `follow` follows a live one, `examine` asks its model, `record` records any training
loop as a run, `still` shows an embedding, `series` the checkpoints of a training. Each is imported on first use; importing this package loads
nothing else.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "FormatError": "runfolder.errors",
    "NoOutputMatrixError": "runfolder.errors",
    "NoSnapshotError": "runfolder.errors",
    "examine": "client.examinations",
    "follow": "client.live_run",
    "Run": "client.run",
    "open": "client.run:open_run",
    "RunSet": "client.opened_set",
    "open_set": "client.opened_set",
    "Recorder": "client.recorder",
    "record": "client.record",
    "ReprojectionFailedError": "processes.child_job",
    "series": "client.checkpoint_run",
    "still": "client.checkpoint_run",
    "Probes": "client.probing.probe_set",
    "watch": "client.watching.watch",
    "LightningCallback": "client.integrations.lightning",
    "TransformersCallback": "client.integrations.transformers",
} | dict.fromkeys(
    (
        "ExaminationError",
        "InputError",
        "LiveError",
        "NoLayoutError",
        "NoSuchTokenError",
        "NotBegunError",
        "RecordWarning",
        "TrainingError",
    ),
    "client.errors",
)

_TRAINERS = ("lightning", "transformers")
"""Packages whose callbacks are here; neither is a dependency."""


def __getattr__(name: str) -> Any:
    target = _WHERE.get(name)
    if target is None:
        raise AttributeError(f"module 'lamplighter' has no attribute {name!r}")
    module, _, inside = target.partition(":")
    try:
        value = getattr(importlib.import_module(f"lamplighter.{module}"), inside or name)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        message = (
            f"lamplighter.{name} needs the whole application: pip install . in a checkout of Lamplighter"
        )
        if package in _TRAINERS:
            message = f"lamplighter.{name} needs the package {package}: pip install {package}"
        raise ImportError(message, name=error.name) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*_WHERE, *(name for name in globals() if name.startswith("__"))})
