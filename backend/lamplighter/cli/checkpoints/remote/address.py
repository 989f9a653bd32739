"""The addresses of checkpoints on the web: `hf://org/name@step*`, `https://host/folder/`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from lamplighter.cli.checkpoints.remote.errors import FetchError
from lamplighter.cli.checkpoints.remote.redirect_guard import require_web_address
from lamplighter.platform.printable import quote_foreign

_HUB = re.compile(r"hf://([\w.-]{1,96}/[\w.-]{1,96})(?:@([^\s\\]{1,200}))?")


@dataclass(frozen=True)
class HubAddress:
    """A model of the Hub, with one revision, or a pattern of many."""

    model: str
    """Its owner and name: `EleutherAI/pythia-14m`."""
    revision: str
    """A branch, tag or commit; with `*`, those whose names fit."""

    @property
    def is_pattern(self) -> bool:
        return "*" in self.revision

    @property
    def name(self) -> str:
        return self.model.replace("/", " ") + ("" if self.is_pattern else f" {self.revision}")

    def folder_of(self, endpoint: str, revision: str) -> str:
        """Return the address of the folder of files of a revision, ending in `/`."""
        return f"{endpoint}/{self.model}/resolve/{quote(revision, safe='')}/"


@dataclass(frozen=True)
class WebAddress:
    """A folder on the web, ending in `/`; or one file of it."""

    url: str

    @property
    def name(self) -> str:
        return " ".join(part for part in self.url.rstrip("/").split("/")[-2:] if part)


def is_address(source: str) -> bool:
    return source.startswith(("hf://", "https://", "http://"))


def parse_address(source: str) -> HubAddress | WebAddress:
    if source.startswith("hf://"):
        match = _HUB.fullmatch(source)
        if match is None or ".." in source:
            raise FetchError(
                f"{quote_foreign(source)}: write hf://owner/name@revision, such as hf://org/name@step*"
            )
        return HubAddress(match[1], match[2] or "main")
    require_web_address(source)
    return WebAddress(source if source.endswith((".safetensors", "/")) else f"{source}/")
