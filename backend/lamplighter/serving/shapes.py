"""What REST answers and accepts look like (`docs/rest.md`), as types: the OpenAPI page is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

Item = TypeVar("Item")

Step = Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]
"""A step's number; 0 is before the first update."""


class Items(BaseModel, Generic[Item]):
    """A list."""

    items: list[Item]


class Health(BaseModel):
    """The server is up."""

    status: Literal["ok"] = "ok"
    version: str


class Session(BaseModel):
    """Who the caller is, and what works for the server."""

    presenter: bool
    version: str
    workers: dict[str, str]
    """By role, in words."""


class Launch(BaseModel):
    """A link that makes one browser the presenter's, once."""

    url: str


class Upload(BaseModel):
    """A text that was kept."""

    upload: str
    bytes: int


class Partial(BaseModel):
    """A shape that leaves out what is not known yet, rather than saying null."""

    def absent(self) -> Any:
        """What to leave out, as pydantic's `exclude` takes it."""
        return None


class AskedBody(BaseModel):
    """A body of a request: nothing in it that is not known."""

    model_config = ConfigDict(extra="forbid")


def as_json(model: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A model as a response. Called in the route's thread, so that the event loop serialises nothing; what
    is not a finite number becomes null.
    """
    return Response(json_text(model), status, headers, "application/json")


def json_text(model: BaseModel) -> str:
    """A model as JSON; what a run does not have yet is left out."""
    return model.model_dump_json(by_alias=True, exclude=_absent(model))


def _absent(model: BaseModel) -> Any:
    return model.absent() if isinstance(model, Partial) else None
