"""Base schemas of REST requests and responses (`docs/rest.md`); the OpenAPI page is generated from them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, Field, computed_field
from starlette.responses import Response

from lamplighter.contract.documented_model import DocumentedModel
from lamplighter.contract.reason import Reason, ReasonCode, ReasonValues
from lamplighter.contract.recognition import recognise
from lamplighter.contract.strict_input import StrictInput
from lamplighter.runfolder.lineage import LAST_STEP

Item = TypeVar("Item")

StepNumber = Annotated[int, Field(ge=0, le=LAST_STEP)]
"""A step number; 0 is before the first update."""


class ApiModel(DocumentedModel):
    """A schema of the REST interface. The docstrings of its fields are their descriptions in the OpenAPI document."""


class HasReason(ApiModel):
    """A schema with one English sentence for a person, as a code too: the page has its own words for it."""

    SENTENCE: ClassVar[str] = "problem"
    """The name of its field."""

    @computed_field
    @property
    def code(self) -> ReasonCode | None:
        """The sentence as a code; null if it is none of Lamplighter's own."""
        return self._reason.code if self._reason else None

    @computed_field
    @property
    def values(self) -> ReasonValues:
        """The numbers and words in the sentence."""
        return self._reason.values if self._reason else {}

    @property
    def _reason(self) -> Reason | None:
        return recognise(getattr(self, self.SENTENCE) or "")


class Items(ApiModel, Generic[Item]):
    """A list of items."""

    items: list[Item]


class Health(ApiModel):
    """The health of the server."""

    status: Literal["ok"] = "ok"
    version: str


class Session(ApiModel):
    """The caller's role, and the server's workers."""

    presenter: bool
    role: Literal["presenter", "assistant", "viewer", "nobody"]
    """The caller's role. On the presenter's listener, callers without a credential are viewers."""
    classroom: bool = False
    """True on the listener of the class."""
    version: str
    workers: dict[str, str]
    """The state of each worker, by role, in words."""


class BrowserSession(ApiModel):
    """A presenting browser, until its session ends."""

    id: str
    """The public id of the session, for ending it."""
    browser: str
    """Browser and system, such as "Firefox on Linux"."""
    address: str
    """The address of the server at which the session is valid."""
    created: float
    """Unix seconds."""
    last_used: float
    """Unix seconds when the browser was last seen, to about a minute."""
    expires: float
    """Unix seconds when the session ends without further requests."""
    current: bool
    """True for the session of this request."""


class BrowserSessionList(Items[BrowserSession]):
    """The presenting browsers."""


class Launch(ApiModel):
    """A one-time link that makes a browser the presenter's."""

    url: str


class TextFacts(ApiModel):
    """Facts about a text before training."""

    words: int
    """Words, without punctuation marks."""
    tokens: int
    """Words and punctuation marks, as training counts them."""
    different: int
    """Number of different words."""
    exact: bool
    """False for a long text if only its beginning was counted."""
    vocabulary: int
    """A vocabulary size for its length, so that each word occurs often enough to be learned."""
    steps: int
    """A number of steps for its length."""
    expectation: Literal["too_short", "by_heart", "some", "clear"]
    """The expected result: refused, memorised, some districts, or clear districts."""


class Upload(ApiModel):
    """A stored text."""

    upload: str
    bytes: int
    text: TextFacts


class PartialModel(ApiModel):
    """A schema that omits fields not known yet, instead of sending null."""

    def fields_to_omit(self) -> Any:
        """Return the fields to omit, in the form of pydantic's `exclude`."""
        return None


class RequestBody(StrictInput):
    """A request body."""


def json_response(model: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a model as a JSON response; non-finite numbers become null. Call it in the route's thread, to keep
    serialisation off the event loop.
    """
    return Response(to_json_text(model), status, headers, "application/json")


def json_body(model: BaseModel) -> list[bytes]:
    """Return the body of `json_response`, in one part."""
    return [to_json_text(model).encode()]


def to_json_text(model: BaseModel) -> str:
    """Return a model as JSON text, without the fields that a run does not have yet."""
    return model.model_dump_json(by_alias=True, exclude=_fields_to_omit(model))


def _fields_to_omit(model: BaseModel) -> Any:
    return model.fields_to_omit() if isinstance(model, PartialModel) else None
