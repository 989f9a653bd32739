"""The part of a fork's recipe that names its parent and the change."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lamplighter.contract.strict_input import FrozenInput

MAX_CHANGES = 16
"""Maximum fields in which a fork differs from its parent."""
ChangeValue = (
    bool
    | Annotated[int, Field(ge=-(2**53), le=2**53)]
    | Annotated[float, Field(ge=-1e30, le=1e30)]
    | Annotated[str, Field(max_length=1_000)]
)
"""A value of a field that a fork changed; several values are one text."""


class Change(FrozenInput):
    """A field of the recipe in which a fork differs from its parent."""

    field: Annotated[str, Field(pattern=r"^[a-z_]{1,40}(\.[a-z_]{1,40})?$")]
    before: ChangeValue
    after: ChangeValue


class ForkParent(FrozenInput):
    """The run that a fork comes from. Its step `step` is the fork's step 0."""

    run: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
    """The parent's id. The parent may be gone."""
    step: Annotated[int, Field(ge=0, lt=2**32)]
    name: Annotated[str, Field(max_length=80)]
    """The parent's display name when the fork was made."""
    changes: Annotated[tuple[Change, ...], Field(max_length=MAX_CHANGES, strict=False)] = ()
    """Empty for the control, which changes nothing."""
    batch_offset: Annotated[int, Field(ge=0, lt=2**40)]
    """The fork's step n reads batch `batch_offset` + n: the sum of the steps along a chain of forks."""
    text_seed: Annotated[int, Field(ge=0, lt=2**32)]
    """The seed of the text. `Recipe.seed` gives the order of the batches alone."""
    private_text: bool = False
    """True if the words come from a user's text or an imported run, whatever the fork itself reads."""
