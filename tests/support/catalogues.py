"""Find the keys and values that the code passes to catalogues of sentences."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path
from string import Formatter

import lamplighter

ROOT = Path(lamplighter.__file__).parent


def read_trees(folder: Path, but: Collection[Path] = ()) -> list[ast.Module]:
    """Return the syntax trees of the modules in a folder."""
    paths = sorted(path for path in folder.rglob("*.py") if path not in but)
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths]


def strings_of(trees: list[ast.Module]) -> set[object]:
    """Return the constants of the modules."""
    return {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}


def fields_of(text: str) -> dict[str, str]:
    """Return the format of each field."""
    return {name: spec or "" for _, name, spec, _ in Formatter().parse(text) if name is not None}


def calls(trees: list[ast.Module], functions: Collection[str]) -> Iterator[tuple[str, str, set[str]]]:
    """Yield the function, the key and the names of the values of each call that names a key and unpacks nothing."""
    for node in (node for tree in trees for node in ast.walk(tree)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
            continue
        names = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
        if node.func.id not in functions or len(names) < len(node.keywords):
            continue
        named = node.args[0]
        for one in (named.body, named.orelse) if isinstance(named, ast.IfExp) else (named,):
            if isinstance(one, ast.Constant):
                yield node.func.id, str(one.value), names


def check_variants(texts: dict[str, str]) -> None:
    """Check that each text of one or none belongs to a text with that field."""
    for key in (key for key in texts if "__" in key):
        base, _, variant = key.partition("__")
        field, _, category = variant.rpartition("_")
        assert field in fields_of(texts[base])
        assert category in ("one", "none")
        assert fields_of(texts[key]).items() <= fields_of(texts[base]).items()
