"""Errors as `application/problem+json` (RFC 9457), each with one sentence a person can act on; and short pages for a
browser that has opened a wrong address, which need no script and reveal nothing about runs.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from lamplighter.contract.documented_model import DocumentedModel
from lamplighter.contract.reason import Reason, ReasonCode, ReasonValues, give_reason
from lamplighter.contract.recognition import recognise
from lamplighter.web.capacity.limiter import BusyError

PROBLEM_MEDIA_TYPE = "application/problem+json"


class FieldError(DocumentedModel):
    """An error in one field of a request."""

    field: str
    """The field's dotted path in the request, such as `recipe.model.heads`."""
    message: str


class Problem(DocumentedModel):
    """The reason why a request was refused."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    """The reason in English."""
    code: ReasonCode | None = None
    """The reason as a code, where a person may meet it: the page has its own words for it."""
    values: ReasonValues = Field(default_factory=ReasonValues)
    """The numbers and words in the reason."""
    errors: list[FieldError] = Field(default_factory=list)


class RefusedError(Exception):
    """An exception for a request that is refused; it becomes a problem response."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: list[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
        reason: Reason | None = None,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.status = status
        self.detail = detail
        self.errors = errors or []
        self.headers = headers


def problem_response(
    status: int,
    detail: str,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
    reason: Reason | None = None,
) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if reason := reason or recognise(detail):
        body |= {"code": reason.code, "values": reason.values}
    if errors:
        body["errors"] = [fault.model_dump() for fault in errors]
    return Response(json.dumps(body), status, headers, PROBLEM_MEDIA_TYPE)


def install_error_handlers(app: FastAPI) -> None:
    """Answer refusals, and requests that are not valid, with a problem response each. `CrashMiddleware` answers all errors
    that have no handler.
    """

    def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedError)
        return problem_response(error.status, error.detail, error.errors, error.headers, error.reason)

    def busy(_: Request, error: Exception) -> Response:
        assert isinstance(error, BusyError)
        return problem_response(
            503, str(error), headers={"Retry-After": str(error.retry_after)}, reason=Reason("server_busy")
        )

    def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem_response(error.status_code, str(error.detail), headers=error.headers)

    def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [_field_error(found) for found in error.errors()]
        detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults[:5])
        reason = give_reason("fields_refused", fields=", ".join(fault.field for fault in faults[:5]))
        return problem_response(422, detail or "the request is not valid", faults, reason=reason)

    def gone(_: Request, error: Exception) -> Response:
        # The client has left; as a crash it would fill the log.
        return problem_response(400, "the body ended too early")

    app.add_exception_handler(RefusedError, refused)
    app.add_exception_handler(BusyError, busy)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)


def _field_error(error: Mapping[str, Any]) -> FieldError:
    # The first part names the location (body, query, path); a union adds the branch it took.
    where = [str(part) for part in error["loc"][1:]] or [str(part) for part in error["loc"]]
    return FieldError(field=".".join(where), message=str(error["msg"]).removeprefix("Value error, "))


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lamplighter: {title}</title><link rel="icon" href="{root}static/lamp.svg">
<link rel="stylesheet" href="{root}static/plain.css"></head>
<body><main><img src="{root}static/lamp.svg" alt="" width="48" height="48">
<h1>{title}</h1>
{paragraphs}
<p><a class="button" href="{root}">{link}</a></p></main></body></html>
"""


def plain_page(status: int, title: str, paragraphs: tuple[str, ...], link: str, root: str) -> HTMLResponse:
    """Return a page with a link to the main page at `root`, which ends in a slash."""
    return HTMLResponse(
        _PAGE.format(
            title=html.escape(title),
            paragraphs="\n".join(f"<p>{html.escape(text)}</p>" for text in paragraphs),
            link=html.escape(link),
            root=html.escape(root),
        ),
        status,
    )


def unknown_page(root: str) -> HTMLResponse:
    text = "The address may be mistyped, or from another version."
    return plain_page(404, "There is no page here", (text,), "Open Lamplighter", root)


def used_link_page(root: str) -> HTMLResponse:
    text = (
        "A presenter link works once, and for a few minutes.",
        "You can still watch. To present, restart Lamplighter for a new link.",
    )
    return plain_page(403, "This presenter link has expired", text, "Watch", root)
