"""Compare two OpenAPI documents of the interface: what goes over the wire must be equal, names may differ.

    python -m tests.openapi_difference BEFORE AFTER

Paths, parameters (name, place, required, type, default, limits), request bodies and answers are compared with every
reference followed; titles, descriptions, summaries, tags and error statuses are not. A later document may say more: a
pattern or a limit, another media type. Prints the renamed schemas and operation ids as a table, then every difference,
and exits with 1 if there is one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WORDS = {"title", "description"}
LIMITS = {"pattern", "minimum", "maximum", "minLength", "maxLength"}

Schema = dict[str, Any]


class Comparison:
    """Two documents, and the names that differ between them."""

    def __init__(self, before: Schema, after: Schema) -> None:
        self.before, self.after = before, after
        self.operations: dict[str, str] = {}
        self.schemas: dict[str, str] = {}
        self.compared: set[tuple[str, ...]] = set()
        """Pairs of names that were compared already."""

    def differences(self) -> Iterator[str]:
        """Yield a line for each difference."""
        old, new = (dict(_operations(document)) for document in (self.before, self.after))
        yield from _only("", old, new)
        for where in sorted(old.keys() & new.keys()):
            was, now = old[where], new[where]
            self.operations[was["operationId"]] = now["operationId"]
            yield from self._parameters(where, was, now)
            yield from self._contents(f"{where} body", was.get("requestBody", {}), now.get("requestBody", {}))
            done = [{s: r for s, r in one["responses"].items() if s[0] == "2"} for one in (was, now)]
            for status, answer in done[0].items():
                yield from self._contents(f"{where} {status}", answer, done[1].get(status, {}))

    def _parameters(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        was, now = ({f"{p['in']} {p['name']}": p for p in one.get("parameters", ())} for one in (old, new))
        yield from _only(f"{where}: ", was, now)
        for key in sorted(was.keys() & now.keys()):
            if was[key].get("required", False) != now[key].get("required", False):
                yield f"{where}: {key}: required became {now[key].get('required', False)}"
            yield from self._same(
                f"{where}: {key}", *(_without_null(one[key]["schema"]) for one in (was, now))
            )

    def _contents(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        was, now = old.get("content", {}), new.get("content", {})
        yield from (f"{where}: {kind} only before" for kind in sorted(was.keys() - now.keys()))
        if now and not was:
            yield f"{where}: only after"
        for kind in sorted(was.keys() & now.keys()):
            yield from self._same(f"{where} {kind}", was[kind]["schema"], now[kind]["schema"])

    def _same(self, where: str, old: Any, new: Any) -> Iterator[str]:
        """Compare two parts of a schema, following references, and note where their names differ."""
        if isinstance(old, dict) and isinstance(new, dict):
            names = [one["$ref"].rsplit("/", 1)[-1] for one in (old, new) if "$ref" in one]
            if len(names) == 2 and self.schemas.setdefault(*names) != names[1]:
                yield f"{where}: {names[0]} became {self.schemas[names[0]]} and {names[1]}"
            if len(names) == 2:
                # A tree's node has nodes of its own.
                if tuple(names) in self.compared:
                    return
                self.compared.add(tuple(names))
            old, new = _resolved(old, self.before), _resolved(new, self.after)
            new = {key: value for key, value in new.items() if key in old or key not in LIMITS}
            yield from _only(f"{where}.", old, new)
            for key in sorted(old.keys() & new.keys()):
                yield from self._same(f"{where}.{key}", old[key], new[key])
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            for index, pair in enumerate(zip(old, new, strict=True)):
                yield from self._same(f"{where}[{index}]", *pair)
        elif old != new and not all(str(one).startswith("#/components/") for one in (old, new)):
            yield f"{where}: {old!r} became {new!r}"


def _only(where: str, old: Schema, new: Schema) -> Iterator[str]:
    for key in sorted(old.keys() ^ new.keys()):
        yield f"{where}{key}: only {'before' if key in old else 'after'}"


def _operations(document: Schema) -> Iterator[tuple[str, Schema]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def _resolved(schema: Schema, document: Schema) -> Schema:
    while "$ref" in schema:
        found = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        schema = found | {key: value for key, value in schema.items() if key != "$ref"}
    # A field may be called `title`; then it has a schema.
    return {key: value for key, value in schema.items() if key not in WORDS or isinstance(value, dict)}


def _without_null(schema: Schema) -> Schema:
    """Return the schema of a parameter without null, which no query can hold."""
    variants = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return rest | variants[0] if len(variants) == 1 else schema


def main(before: str, after: str) -> int:
    """Print the tables and the differences. Returns an exit status."""
    comparison = Comparison(*(json.loads(Path(name).read_text("utf-8")) for name in (before, after)))
    differences = list(comparison.differences())
    for kind, names in (("operation id", comparison.operations), ("schema", comparison.schemas)):
        print(f"| {kind} before | after |\n|---|---|")
        print(*(f"| `{old}` | `{new}` |" for old, new in sorted(names.items()) if old != new), sep="\n")
        print()
    print("\n".join(differences) or "no differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
