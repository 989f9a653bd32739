"""A viewer's session: random, revocable, and only for watching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from lamplighter.serving.schemas.classroom import Role


@dataclass(frozen=True)
class ViewerSession:
    """A session of one viewer of the class, without name or address."""

    id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    """The public name of the session: 16 hexadecimal digits, unrelated to its secret."""
    number: Annotated[int, Field(ge=1)]
    """The position in the order of joining, from 1."""
    browser: Annotated[str, Field(max_length=100)]
    """Browser and system in fixed words, never the text that the browser sent."""
    joined: float
    """Unix seconds."""
    cookie_digest: Annotated[str, Field(max_length=64)]
    """SHA-256 of the cookie's value, which has 256 random bits."""
    role: Role = "viewer"
    watched: bool = False
    """True once its page has opened a socket. Only then does it have a place in the class."""

    @property
    def has_place(self) -> bool:
        """Return whether it counts towards the size of the class."""
        return self.watched or self.role == "assistant"
