"""The values of a tensor that several processes share (a DTensor) which this process gives to the record."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lamplighter.client.sharding.owned_part import is_split


def own_ids(ids: Any) -> Any:
    """Return the ids that this process counts.

    Args:
        ids: what a lookup got.

    Returns:
        Of shared ids those of this process; none of them if another process has the same ones, so that each is counted
        once. What is not shared, or is a sum that no process has, as it is.
    """
    if not is_split(ids) or any(placement.is_partial() for placement in ids.placements):
        return ids
    own = ids.to_local()
    places = zip(ids.device_mesh.get_coordinate() or (), ids.placements, strict=False)
    return own.flatten()[:0] if any(place and kind.is_replicate() for place, kind in places) else own


def own_scalar(scalar: Tensor) -> Tensor | None:
    """Return a scalar that every process has, as a plain tensor; None if no process has it yet."""
    if not is_split(scalar):
        return scalar
    whole: Any = scalar
    return whole.to_local() if all(kind.is_replicate() for kind in whole.placements) else None
