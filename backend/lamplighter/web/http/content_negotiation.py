"""Content negotiation: `?format=` decides the format of a response, else `Accept`, else the server's default.

Among formats that `Accept` ranks equally, the one it names most specifically wins, then the server's first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request

from lamplighter.web.http.problems import RefusedError

_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)
_RANGE = re.compile(r"[\w!#$&^.+*-]+/[\w!#$&^.+*-]+", re.ASCII)
_MAX_RANGES = 100


@dataclass(frozen=True)
class ResponseFormat:
    """A format in which a response can be sent."""

    name: str
    """The value of `?format=`."""
    media_type: str
    """The media type in `Accept`."""


FRAME = ResponseFormat("frame", "application/octet-stream")
JSON = ResponseFormat("json", "application/json")
NPY = ResponseFormat("npy", "application/x-npy")
SAFETENSORS = ResponseFormat("safetensors", "application/x-safetensors")
ARROW = ResponseFormat("arrow", "application/vnd.apache.arrow.stream")
PARQUET = ResponseFormat("parquet", "application/vnd.apache.parquet")
PNG = ResponseFormat("png", "image/png")
CSV = ResponseFormat("csv", "text/csv")


def negotiate_format(
    request: Request, offered: tuple[ResponseFormat, ...], requested: str | None
) -> ResponseFormat:
    """Choose among the formats `offered`, the default first: by the name in `?format=`, else by `Accept`. Raises
    RefusedError (406) if `Accept` allows none of them.
    """
    if requested is not None:
        return next(format for format in offered if format.name == requested)
    ranges = list(_ranges(",".join(request.headers.getlist("accept"))))
    if not ranges:
        return offered[0]
    ranked = [(_rank(format.media_type, ranges), format) for format in offered]
    (quality, _), best = max(ranked, key=lambda found: found[0])
    if quality == 0:
        available = ", ".join(f"{format.name} ({format.media_type})" for format in offered)
        raise RefusedError(406, f"no format of this resource is allowed by Accept; available: {available}; " "name one with ?format= or in Accept")  # fmt: skip
    return best


def accepts_gzip(request: Request) -> bool:
    for part in ",".join(request.headers.getlist("accept-encoding")).split(",", _MAX_RANGES)[:_MAX_RANGES]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name == "gzip":
            return not any(re.fullmatch(r"q\s*=\s*0(\.0*)?", parameter) for parameter in parameters)
    return False


def _ranges(accept: str) -> Iterable[tuple[str, float]]:
    """Yield media ranges and their qualities, skipping invalid ranges."""
    for part in accept.split(",", _MAX_RANGES)[:_MAX_RANGES]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                if not _QUALITY.fullmatch(value.strip()):
                    break
                quality = float(value)
        else:
            if _RANGE.fullmatch(name):
                yield name, quality


def _rank(media_type: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """Return (quality, specificity) of a media type; the most specific range that matches decides its quality."""
    kind = media_type.split("/")[0]
    for closeness, wanted in ((2, media_type), (1, f"{kind}/*"), (0, "*/*")):
        qualities = [quality for name, quality in ranges if name == wanted]
        if qualities:
            return max(qualities), closeness
    return 0.0, 0
