"""The other settings that a kind of text brings along, where the recipe does not name them."""

from __future__ import annotations

from typing import Any, cast

_DEFAULTS: dict[str, dict[str, Any]] = {
    # Learns to copy all at once, with two layers (docs/decisions/0042-words-that-come-again.md).
    "repeats": {
        "model": {"dim": 32, "heads": 2},
        "optimiser": {"kind": "adam", "embedding_factor": 1.0},
        "cadence": {"waypoint_every": 100},
        "map": {"neighbours": 10},
        "sequences": 64,
        "passages": 64,
        "steps": 2_000,
    },
    # Generalises long after it has memorised (docs/decisions/0038-sums-on-a-clock.md).
    "modular": {
        "corpus": {"modulus": 59, "train_share": 0.4},
        "model": {"layers": 1, "context": 4},
        "optimiser": {"kind": "adam", "learning_rate": 2e-3, "embedding_factor": 1.0, "weight_decay": 1.0},
        "cadence": {"keyframe_every": 20},
        "map": {"neighbours": 10},
        "sequences": 512,
        "passages": 512,
        "steps": 3_000,
    },
}


def fill_defaults(recipe: Any) -> Any:
    """Return the fields of a recipe with those that its kind of text brings along; unchanged if it brings none."""
    corpus = cast("dict[str, Any]", recipe).get("corpus") if isinstance(recipe, dict) else None
    kind = cast("dict[str, Any]", corpus).get("kind") if isinstance(corpus, dict) else None
    if not isinstance(kind, str) or kind not in _DEFAULTS:
        return recipe
    return _merge(_DEFAULTS[kind], cast("dict[str, Any]", recipe))


def _merge(defaults: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    merged = defaults | given
    for name, value in defaults.items():
        if isinstance(value, dict) and isinstance(merged[name], dict):
            # A null is not kept in the recipe's file, and would be filled when that is read.
            named = {key: one for key, one in merged[name].items() if one is not None}
            merged[name] = value | named
            if name == "optimiser" and merged[name]["kind"] != value["kind"]:
                # The defaults are those of one optimiser.
                merged[name] = named
    # In a batch of another size each sequence is still a passage.
    if "sequences" in given and "passages" not in given:
        merged["passages"] = given["sequences"]
    return merged
