"""Fields are described by their docstrings as with pydantic's own option."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from lamplighter.contract.documented_model import DocumentedModel

Item = TypeVar("Item")


class Inner(DocumentedModel):
    """An inner model."""

    size: int = 0
    """A size,
    in bytes."""


class Ours(DocumentedModel, Generic[Item]):
    plain: int
    inner: Inner
    """A model inside."""
    named: int = Field(alias="other")
    """Under another name."""
    described: Annotated[int, Field(description="Described before.")]
    """Not this."""
    items: list[Item]
    """Items."""


class Theirs(BaseModel, Generic[Item]):
    model_config = ConfigDict(use_attribute_docstrings=True)
    plain: int
    inner: Inner
    """A model inside."""
    named: int = Field(alias="other")
    """Under another name."""
    described: Annotated[int, Field(description="Described before.")]
    """Not this."""
    items: list[Item]
    """Items."""


class OurChild(Ours[int]):
    plain: str  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    inner: Inner | None  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]


class TheirChild(Theirs[int]):
    plain: str  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    inner: Inner | None  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]


def fields(model: type[BaseModel]) -> object:
    return model.model_json_schema()["properties"]


def test_schemas_match_pydantic() -> None:
    assert fields(Ours[int]) == fields(Theirs[int])
    assert fields(OurChild) == fields(TheirChild)
    assert Inner.model_json_schema()["properties"]["size"]["description"] == "A size,\nin bytes."
