"""Errors as `application/problem+json` (RFC 9457), each with one sentence a person can act on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from lamplighter.corpora.corpus import CorpusError
from lamplighter.documented_model import DocumentedModel
from lamplighter.exports.output import MissingPackageError
from lamplighter.runfolder.errors import FormatError, MissingVocabularyError
from lamplighter.runfolder.lineage import LineageChangedError
from lamplighter.runfolder.reading.output_matrix import NoOutputMatrixError
from lamplighter.runfolder.reading.snapshot import NoSnapshotError
from lamplighter.runfolder.run_store import NoSuchRunError, RunBusyError
from lamplighter.runfolder.writing.free_space import NO_ROOM_ERRORS, has_no_room
from lamplighter.web.capacity.busy import BusyError
from lamplighter.web.http.disk_full import DISK_FULL, DiskFullLog
from lamplighter.wire.binary import FrameError

PROBLEM_MEDIA_TYPE = "application/problem+json"
UNREADABLE = "this run cannot be read: the presenter can see why"
"""The reason that a class is given."""


class FieldError(DocumentedModel):
    """An error in one field of a request."""

    field: str
    """The field's dotted path in the request, such as `recipe.model.heads`."""
    message: str


class Problem(BaseModel):
    """The reason why a request was refused."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] = Field(default_factory=list)


class RefusedError(Exception):
    """An exception for a request that is refused; it becomes a problem response."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: list[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Set the HTTP status, the reason and, if fields are at fault, the errors in them."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or []
        self.headers = headers


def problem_response(
    status: int, detail: str, errors: list[FieldError] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a problem as a response."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = [fault.model_dump() for fault in errors]
    return Response(json.dumps(body), status, headers, PROBLEM_MEDIA_TYPE)


def install_error_handlers(app: FastAPI, *, for_class: bool = False) -> None:
    """Answer the errors that a route may raise with a problem response each; `crash_middleware` answers all others. Those
    for a class do not say why a run cannot be read: that may quote what is in its files.
    """
    disk_full_log = DiskFullLog()

    def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedError)
        return problem_response(error.status, error.detail, error.errors, error.headers)

    def busy(_: Request, error: Exception) -> Response:
        assert isinstance(error, BusyError)
        return problem_response(503, str(error), headers={"Retry-After": str(error.retry_after)})

    def not_found(_: Request, error: Exception) -> Response:
        return problem_response(404, str(error))

    def no_vocabulary(_: Request, error: Exception) -> Response:
        return problem_response(404, "this run has no vocabulary: its text has not been read, or was lost")

    def conflict(_: Request, error: Exception) -> Response:
        return problem_response(409, str(error))

    def unreadable(_: Request, error: Exception) -> Response:
        return problem_response(409, UNREADABLE if for_class else f"this run cannot be read: {error}")

    def not_permitted(_: Request, error: Exception) -> Response:
        return problem_response(
            409, "these files are another user's, and not for this server to read or write"
        )

    def superseded(_: Request, error: Exception) -> Response:
        return problem_response(409, f"{error}: ask again")

    def not_installed(_: Request, error: Exception) -> Response:
        return problem_response(501, str(error))

    def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem_response(error.status_code, str(error.detail), headers=error.headers)

    def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [_field_error(found) for found in error.errors()]
        detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults[:5])
        return problem_response(422, detail or "the request is not valid", faults)

    async def disk_full(_: Request, error: Exception) -> Response:
        if not has_no_room(error):
            raise error
        disk_full_log.note(error)
        return problem_response(507, DISK_FULL)

    def gone(_: Request, error: Exception) -> Response:
        # Nobody reads it; as an error of ours it would fill the log.
        return problem_response(400, "the body ended too early")

    app.add_exception_handler(RefusedError, refused)
    app.add_exception_handler(BusyError, busy)
    app.add_exception_handler(NoSuchRunError, not_found)
    app.add_exception_handler(NoSnapshotError, not_found)
    app.add_exception_handler(NoOutputMatrixError, not_found)
    app.add_exception_handler(MissingVocabularyError, no_vocabulary)
    app.add_exception_handler(RunBusyError, conflict)
    app.add_exception_handler(FormatError, unreadable)
    app.add_exception_handler(FrameError, unreadable)
    app.add_exception_handler(PermissionError, not_permitted)
    app.add_exception_handler(CorpusError, conflict)
    app.add_exception_handler(LineageChangedError, superseded)
    app.add_exception_handler(MissingPackageError, not_installed)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind in NO_ROOM_ERRORS:
        app.add_exception_handler(kind, disk_full)


def _field_error(error: Mapping[str, Any]) -> FieldError:
    # The first part names the location (body, query, path); a union adds the branch it took.
    where = [str(part) for part in error["loc"][1:]] or [str(part) for part in error["loc"]]
    return FieldError(field=".".join(where), message=str(error["msg"]).removeprefix("Value error, "))
