"""Parameters shared by several routes, with their descriptions in the OpenAPI document.

Patterns here are documentation: the routes check the values themselves, with more detailed messages.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from lamplighter.runfolder.run_folder import RUN_ID_PATTERN
from lamplighter.serving.reading.layout_query import LayoutSetName, MethodName
from lamplighter.serving.reading.run_catalog import MatrixName
from lamplighter.serving.schemas.base import StepNumber

RunId = Annotated[
    str, Path(description="The run's id.", json_schema_extra={"pattern": f"^{RUN_ID_PATTERN}$"})
]
TokenId = Annotated[int, Path(description="The token's id.", json_schema_extra={"minimum": 0})]
OtherTokenId = Annotated[int, Query(ge=0, le=0xFFFF_FFFF, description="The token's id.")]

StepPath = Annotated[StepNumber, Path(description="The step; 0 is before the first update.")]
KeptStep = Annotated[
    StepNumber | None,
    Query(
        description="A step. If it was not kept, the newest kept step before it is used; by default, the newest kept step."
    ),
]
FromStep = Annotated[StepNumber, Query(alias="from", description="The first step, inclusive.")]
ToStep = Annotated[StepNumber | None, Query(description="The last step, inclusive; by default, the newest.")]
AttemptParam = Annotated[
    int | None,
    Query(
        ge=1,
        le=0xFFFF_FFFF,
        description="The attempt in which the last step must count, else 409; the answer may then be cached for ever. "
        "A range of steps must also name its last step, with `to`.",
    ),
]

LayoutMethod = Annotated[MethodName, Query(description="The view; `umap` is the map, drawn by any method.")]
LayoutSet = Annotated[
    LayoutSetName,
    Query(
        alias="set",
        description="The layouts made live, those of a finished run's reprojection, or those of the output matrix.",
    ),
]
MatrixChoice = Annotated[
    MatrixName,
    Query(
        alias="matrix",
        description="The input matrix, or the output matrix at the newest waypoint at or before the step.",
    ),
]

# A route's own parameters have the defaults; these are checked and described.
FORMAT = Query(description="The format of the answer. By default `Accept` decides, else it is the first.")
AFTER = Query(
    ge=0,
    le=0x7FFF_FFFF_FFFF_FFFF,
    description="An id: the items after it are returned. By default, the newest are.",
)
