"""The settings of a server, and the checks that refuse unsafe ones."""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass
from pathlib import Path

from lamplighter.platform.own_addresses import DEFAULT_PORT, is_loopback
from lamplighter.runfolder.tables.requests import MAX_HOLD_SECONDS
from lamplighter.web.hosts import Origin, OriginError, parse_origin

DEFAULT_CLASS_PORT = 8601
DEFAULT_HOLD = 30.0
DEFAULT_SMOOTH_AFTER = 30.0
_BROKER_URL = re.compile(r"(?:tls|nats)://(?P<host>\[[0-9A-Fa-f:]{2,45}\]|[A-Za-z0-9.-]{1,253}):[0-9]{1,5}")
_PATH_PART = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,80}")
ROLES: tuple[str, ...] = ("trainer", "projector", "analyst")
"""The worker processes beside the server, by their role in a run."""


MAX_VIEWERS = 500
"""The default maximum number of viewers of a class."""


class SettingsError(ValueError):
    """Invalid settings; the message is one line with the problem and the allowed values."""


@dataclass(frozen=True)
class BrokerSettings:
    """The broker between the server of a class and its relays."""

    url: str
    """`tls://HOST:PORT`, or `nats://HOST:PORT`, which is not encrypted."""
    insecure: bool = False
    """True if a broker on another machine may be reached without encryption."""

    @property
    def encrypted(self) -> bool:
        return self.url.startswith("tls://")

    def check(self) -> None:
        """Raise SettingsError if the address is invalid, holds a secret, or would cross a network unencrypted."""
        found = _BROKER_URL.fullmatch(self.url)
        if found is None:
            raise SettingsError(
                "broker: write tls://HOST:PORT, or nats://HOST:PORT for this machine; a token belongs in the variable"
                " LAMPLIGHTER_BROKER_TOKEN, for every user of this machine can read a command line"
            )
        if not self.encrypted and not self.insecure and not is_loopback(found["host"].strip("[]")):
            raise SettingsError(
                f"broker: over nats:// anyone between here and {found['host']} could read the class and answer for it;"
                " use tls://, or --insecure-broker in a network of your own"
            )


@dataclass(frozen=True)
class ClassSettings:
    """The second listener, for the class: its address, and a proxy in front of it."""

    host: str = "0.0.0.0"
    port: int = DEFAULT_CLASS_PORT
    """0: any free port."""
    behind: str | None = None
    """The `https://HOST:PORT` at which people reach the class through a proxy; None: directly."""
    trusted_proxy: str | None = None
    """The address or network of that proxy, whose forwarded headers are trusted."""
    most: int = MAX_VIEWERS
    """The maximum number of viewers."""
    broker: BrokerSettings | None = None
    """The broker through which relays serve the class to more phones; None: no relays."""

    @property
    def public(self) -> Origin | None:
        """Return the parsed `behind`. Raises SettingsError if it is not a valid address."""
        if self.behind is None:
            return None
        try:
            return parse_origin(self.behind.rstrip("/"))
        except OriginError as error:
            raise SettingsError(f"class_behind: {error}; write https://HOST or https://HOST:PORT") from error

    @property
    def trusted(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
        """Return the parsed `trusted_proxy`. Raises SettingsError if it is neither an address nor a network."""
        if self.trusted_proxy is None:
            return None
        try:
            return ipaddress.ip_network(self.trusted_proxy)
        except ValueError as error:
            raise SettingsError(
                f"trust_proxy: {error}; write an address such as 172.30.0.2, or a network such as 172.30.0.0/24"
            ) from error

    def check(self) -> None:
        """Raise SettingsError if a value is invalid, or only one of proxy and address is set."""
        if not 0 <= self.port <= 65_535:
            raise SettingsError(f"class_port: {self.port} is not a port from 0 to 65535")
        if not 1 <= self.most <= 5_000:
            raise SettingsError(f"class_size: {self.most} is out of range; 1 to 5000 viewers")
        if self.broker is not None:
            self.broker.check()
        public, trusted = self.public, self.trusted
        if (public is None) != (trusted is None):
            raise SettingsError(
                "class_behind and trust_proxy belong together: the public address, and the proxy that serves it"
            )
        if public is not None and public.scheme == "http" and not is_loopback(public.host):
            raise SettingsError(
                "class_behind: a proxy in front of the class is there for TLS; write https://HOST"
            )


@dataclass(frozen=True)
class ServerSettings:
    """The settings of a server: the address to listen on, the runs to show and the workers to start."""

    runs: Path
    """The folder that holds the runs."""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    """0: any free port."""
    behind: str | None = None
    """The `https://HOST:PORT/PATH` (or `localhost:PORT`, which never leaves the machine) at which people reach a server
    indirectly (a container's published port, a proxy, a tunnel). Reading then needs the presenter's credentials too. A
    proxy strips the path before it forwards a request."""
    own_name: bool = False
    """True if `lamplighter.localhost` is certain to lead only to this server (`hold_own_name`)."""
    roles: tuple[str, ...] = ROLES
    """Roles of the workers that this server starts; others may run elsewhere on the same folder."""
    max_trainers: int = 2
    smooth_after: float | None = DEFAULT_SMOOTH_AFTER
    """Seconds without a request after which finished runs are smoothed for replay; None: never."""
    classroom: ClassSettings | None = None
    """The listener for the class; None: no class can be opened."""
    hold: float = DEFAULT_HOLD
    """Maximum seconds that a new run waits for its map before its first step; 0: not at all."""
    follow: tuple[Path, ...] = ()
    """Folders of runs, on a network file system, whose fragments are taken over as they grow."""
    lessons: Path | None = None
    """A folder of texts that replace or add parts of the course; None: only the app's course."""
    published: bool = False
    """True if `runs` stands for runs of a store, which are read in place: every change of one is refused."""

    @property
    def hold_of_new_runs(self) -> float:
        """Return the maximum seconds that a new run waits for its map: 0 if this server starts no projector."""
        return self.hold if "projector" in self.roles else 0.0

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def public(self) -> Origin | None:
        """Return the parsed `behind`, without its path. Raises SettingsError if it is not a valid address."""
        return self._parsed_behind()[0]

    @property
    def prefix(self) -> str:
        """Return the path of `behind`, without the slash at its end: "" or "/lamplighter". Raises SettingsError."""
        return self._parsed_behind()[1]

    def _parsed_behind(self) -> tuple[Origin | None, str]:
        if self.behind is None:
            return None, ""
        address = self.behind if "://" in self.behind else f"http://{self.behind}"
        scheme, _, rest = address.partition("://")
        authority, _, path = rest.partition("/")
        try:
            origin = parse_origin(f"{scheme}://{authority}")
        except OriginError as error:
            raise SettingsError(f"behind: {error}; write HOST:PORT as people type it") from error
        parts = path.rstrip("/").split("/") if path.rstrip("/") else []
        if not all(_PATH_PART.fullmatch(part) for part in parts):
            raise SettingsError(
                f"behind: /{path[:80]!s} is not a valid path; use names of letters, digits, '-', '_', '.' "
                "and '~', such as https://HOST/lamplighter"
            )
        return origin, "".join(f"/{part}" for part in parts)

    def check(self) -> None:
        """Raise SettingsError if the host is beyond loopback without `behind`, `behind` is plain http to another
        machine, or a value is out of range.
        """
        if not 0 <= self.port <= 65_535:
            raise SettingsError(f"port: {self.port} is not a port from 0 to 65535")
        if unknown := set(self.roles) - set(ROLES):
            raise SettingsError(
                f"roles: no such worker: {', '.join(sorted(unknown))}; available: {', '.join(ROLES)}"
            )
        if self.max_trainers < 1:
            raise SettingsError(f"max_trainers: {self.max_trainers} is too few; use at least 1")
        if self.smooth_after is not None and not 0 <= self.smooth_after < math.inf:
            raise SettingsError(f"smooth_after: {self.smooth_after} is not a number of seconds of at least 0")
        if not 0 <= self.hold <= MAX_HOLD_SECONDS:
            raise SettingsError(f"hold: {self.hold:g} is out of range; 0 to {MAX_HOLD_SECONDS:g} seconds")
        if any(folder.resolve() == self.runs.resolve() for folder in self.follow):
            raise SettingsError(
                f"follow: {self.runs} is the folder of this server's own runs; give it another one with --runs"
            )
        if self.classroom is not None:
            self.classroom.check()
        public = self.public
        if public is not None and public.scheme == "http" and not is_loopback(public.host):
            raise SettingsError(
                f"behind: over plain http anyone between here and {public.host} could read the presenter's "
                f"credentials; put a proxy with TLS in front and write https://{public.authority} "
                "(localhost:PORT needs none)"
            )
        if not self.loopback and public is None:
            raise SettingsError(
                f"host: {self.host} can be reached from other machines; use 127.0.0.1, or name the public address "
                "with --behind HOST:PORT"
            )
