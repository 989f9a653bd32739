"""The API documentation page, rendered from the OpenAPI schema: plain HTML, no scripts, no external
resources."""

from __future__ import annotations

from html import escape
from typing import Any

Schema = dict[str, Any]

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid; padding: .5rem 0; }
h3 { font: 600 1rem ui-monospace, monospace; margin: .75rem 0 .25rem; }
table { border-collapse: collapse; margin: .5rem 0; }
td, th { text-align: left; vertical-align: top; padding: .15rem 1rem .15rem 0; }
code { font-family: ui-monospace, monospace; }
"""


def render(schema: Schema) -> str:
    """Return the page for an OpenAPI schema."""
    by_tag: dict[str, list[str]] = {}
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            by_tag.setdefault(operation.get("tags", ["other"])[0], []).append(
                _operation(path, method, operation, schema)
            )
    info = schema["info"]
    body = "".join(
        f'<h2 id="{escape(tag)}">{escape(tag)}</h2>{"".join(found)}' for tag, found in by_tag.items()
    )
    shapes = "".join(
        _schema_section(name, shape)
        for name, shape in schema.get("components", {}).get("schemas", {}).items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{escape(info["title"])}: the interface</title><link rel="stylesheet" href="/api/docs.css"></head>'
        f"<body><h1>{escape(info['title'])} {escape(info['version'])}: the interface</h1>"
        f"<p>{escape(info.get('description', ''))}</p>"
        '<p>As <a href="/api/openapi.json">OpenAPI</a>. Errors are <code>application/problem+json</code>.</p>'
        f"{body}<h2>Shapes</h2>{shapes}</body></html>"
    )


def _operation(path: str, method: str, operation: Schema, schema: Schema) -> str:
    parts = [
        f"<section><h3>{method.upper()} {escape(path)}</h3><p>{escape(operation.get('description', ''))}</p>"
    ]
    if parameters := operation.get("parameters"):
        rows = "".join(
            f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}"
            f"{', required' if p.get('required') else ''}</td><td>{_type(p.get('schema', {}))}</td></tr>"
            for p in parameters
        )
        parts.append(f"<table>{rows}</table>")
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<p>Takes <code>{escape(kind)}</code>: {_type(content.get('schema', {}))}</p>")
    for status, answer in operation.get("responses", {}).items():
        for kind, content in answer.get("content", {}).items():
            parts.append(
                f"<p>{escape(status)} <code>{escape(kind)}</code>: {_type(content.get('schema', {}))}</p>"
            )
    return "".join(parts) + "</section>"


def _schema_section(name: str, schema: Schema) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{_type(field_schema)}</td><td>{escape(field_schema.get('description', ''))}</td></tr>"
        for field, field_schema in schema.get("properties", {}).items()
    )
    return (
        f'<section id="{escape(name)}"><h3>{escape(name)}</h3>'
        f"<p>{escape(schema.get('description', ''))}</p><table>{rows}</table></section>"
    )


def _type(schema: Schema) -> str:
    """Describe a schema in a few words, with links to the schemas it names."""
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_type(one) for one in schema[several])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}" if "items" in schema else "list"
    limits = "".join(
        f"{sign}{schema[key]}"
        for key, sign in (
            ("minimum", " ≥ "),
            ("exclusiveMinimum", " > "),
            ("maximum", " ≤ "),
            ("maxLength", ", at most "),
        )
        if key in schema
    )
    return escape(f"{schema.get('type', 'anything')}{limits}")
