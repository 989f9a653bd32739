"""Hooks of schemathesis, for `test_schemathesis.py`: valid requests are about the runs that are there."""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from schemathesis.core.parameters import ParameterLocation

FINISHED, SPARE = os.environ["LAMPLIGHTER_RUNS"].split(",")


@schemathesis.hook
def map_case(_: Any, case: Any) -> Any:
    """Set the run of a path that is to be valid: the spare one's where the run is deleted."""
    path = case.path_parameters or {}
    if "run" in path and case.meta.components[ParameterLocation.PATH].mode.is_positive:
        deleted = case.operation.definition.raw["operationId"] == "delete_run"
        path["run"] = SPARE if deleted else FINISHED
    return case
