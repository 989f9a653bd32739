"""The checkpoints at an address, by step."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from lamplighter.cli.checkpoints.remote.address import HubAddress, WebAddress
from lamplighter.cli.checkpoints.remote.errors import FetchError, MissingFileError
from lamplighter.cli.checkpoints.remote.ranged_client import RangedClient
from lamplighter.client.sources.source_names import step_in_name
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.step_numbers import MAX_NUMBER

LISTING = "listing.txt"
_MAX_LISTING = 16_000_000
_MAX_LISTED = 10_000


@dataclass(frozen=True)
class RemoteCheckpoint:
    """One checkpoint on the web."""

    step: int
    model: str
    """The address of its folder, ending in `/`; or of its `.safetensors` file."""
    version: str
    """The commit of a revision; empty if the server has none."""


def list_revisions(client: RangedClient, address: HubAddress, endpoint: str) -> list[RemoteCheckpoint]:
    """Return the branches and tags of a model that fit the pattern of an address, by step.

    The step is the first number in what the first `*` stands for. We ask for the list ourselves because the library of the
    Hub reads an answer of any length.
    """
    data = client.read_file(f"{endpoint}/api/models/{address.model}/refs", _MAX_LISTING)
    try:
        listed: Any = json.loads(data)
        refs = [
            (str(ref["name"]), str(ref["targetCommit"]))
            for kind in ("branches", "tags")
            for ref in listed[kind]
        ]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FetchError(f"{address.model}: the server's list of revisions cannot be read") from error
    before, _, after = address.revision.partition("*")
    pattern = re.compile(f"{re.escape(before)}(.*){translate(after)}")
    found: dict[str, RemoteCheckpoint] = {}
    for name, commit in refs:
        if (match := pattern.match(name)) and (number := re.search(r"\d{1,18}", match[1])):
            checkpoint = RemoteCheckpoint(int(number[0]), address.folder_of(endpoint, commit or name), commit)
            found.setdefault(name, checkpoint)
    if not found:
        some = ", ".join(quote_foreign(name) for name, _ in refs[:6])
        raise FetchError(f"{address.model}: no revision fits {address.revision}; there are {some or 'none'}")
    return _by_step(found.values(), f"{address.model}@{address.revision}")


def list_folder(client: RangedClient, address: WebAddress) -> list[RemoteCheckpoint]:
    """Return the checkpoints that the listing of a folder names, by step.

    The listing is a text: a path relative to the folder on each line, of a `.safetensors` file whose name, or the name of
    whose folder, has its step; other lines are passed over.
    """
    try:
        data = client.read_file(address.url + LISTING, _MAX_LISTING)
    except MissingFileError as error:
        raise FetchError(
            f"{quote_foreign(address.url)}: a folder needs a {LISTING}, with the path of one checkpoint on each line"
        ) from error
    found: list[RemoteCheckpoint] = []
    for line in data.decode("utf-8", "replace").split("\n"):
        path = PurePosixPath(line.strip())
        if path.suffix != ".safetensors":
            continue
        if path.is_absolute() or ".." in path.parts or "\\" in line or ":" in line:
            raise FetchError(f"{LISTING}: {quote_foreign(line)} is outside the folder")
        step = step_in_name(Path(path))
        if step is not None:
            found.append(RemoteCheckpoint(step, address.url + quote(str(path)), ""))
    if not found:
        raise FetchError(
            f"{quote_foreign(address.url)}: no .safetensors file with a step in its name is listed"
        )
    return _by_step(found, quote_foreign(address.url))


def _by_step(found: Iterable[RemoteCheckpoint], where: str) -> list[RemoteCheckpoint]:
    # A branch and a tag may name the same commit.
    ordered = sorted({(one.step, one.model): one for one in found}.values(), key=lambda one: one.step)
    for before, after in pairwise(ordered):
        if before.step == after.step:
            raise FetchError(
                f"{where}: two checkpoints have the step {after.step:,}; write a narrower pattern"
            )
    if len(ordered) > _MAX_LISTED or ordered[-1].step > MAX_NUMBER:
        raise FetchError(f"{where}: more than {_MAX_LISTED:,} checkpoints, or an impossible step")
    return ordered
