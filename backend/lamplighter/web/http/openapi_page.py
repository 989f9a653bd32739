"""The API documentation page, rendered from the OpenAPI schema: plain HTML, no scripts, no external
resources."""

from __future__ import annotations

import re
from html import escape
from typing import Any

Schema = dict[str, Any]

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid; padding: .5rem 0; }
h3 { font: 600 1rem ui-monospace, monospace; margin: .75rem 0 .25rem; }
table { display: block; overflow-x: auto; border-collapse: collapse; margin: .5rem 0; }
td, th { text-align: left; vertical-align: top; padding: .15rem 1rem .15rem 0; }
code { font-family: ui-monospace, monospace; }
"""


def render(schema: Schema) -> str:
    by_tag: dict[str, list[str]] = {}
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    info = schema["info"]
    body = "".join(
        f'<h2 id="{escape(tag["name"])}">{escape(tag["name"])}</h2><p>{_prose(tag["description"])}</p>'
        + "".join(by_tag[tag["name"]])
        for tag in schema["tags"]
    )
    intro = "".join(f"<p>{_prose(paragraph)}</p>" for paragraph in info["description"].split("\n\n"))
    others = "".join(
        f'<p id="{escape(name)}"><code>{escape(name)}</code>: {_prose(answer["description"])}</p>'
        for name, answer in schema["components"]["responses"].items()
    )
    shapes = "".join(_schema_section(*item) for item in schema["components"]["schemas"].items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{escape(info["title"])}: the interface</title><link rel="stylesheet" href="docs.css"></head>'
        f"<body><h1>{escape(info['title'])} {escape(info['version'])}: the interface</h1>"
        f'{intro}<p>As <a href="openapi.json">OpenAPI</a>.</p>'
        f"{body}<h2>Other answers</h2>{others}<h2>Shapes</h2>{shapes}</body></html>"
    )


def _operation(path: str, method: str, operation: Schema) -> str:
    presenter = "" if {} in operation["security"] or not operation["security"] else "For the presenter. "
    parts = [
        f"<section><h3>{method.upper()} {escape(path)}</h3><p><code>{escape(operation['operationId'])}</code></p>"
        f"<p>{presenter}{_prose(operation['description'])}</p>"
    ]
    if parameters := operation.get("parameters"):
        rows = "".join(
            f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}"
            f"{', required' if p.get('required') else ''}</td><td>{_type(p['schema'])}</td>"
            f"<td>{_prose(p['description'])}</td></tr>"
            for p in parameters
        )
        parts.append(f"<table>{rows}</table>")
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<p>Takes <code>{escape(kind)}</code>: {_type(content.get('schema', {}))}</p>")
    others: list[str] = []
    for status, answer in operation["responses"].items():
        if "$ref" in answer:
            name = escape(answer["$ref"].rsplit("/", 1)[-1])
            others.append(f'<a href="#{name}">{escape(status)}</a>')
        for kind, content in answer.get("content", {}).items():
            parts.append(
                f"<p>{escape(status)} <code>{escape(kind)}</code>: {_type(content.get('schema', {}))}</p>"
            )
    return f"{''.join(parts)}<p>Or {', '.join(others)}.</p></section>"


def _schema_section(name: str, schema: Schema) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{_type(field_schema)}</td><td>{_prose(field_schema.get('description', ''))}</td></tr>"
        for field, field_schema in schema.get("properties", {}).items()
    )
    return (
        f'<section id="{escape(name)}"><h3>{escape(name)}</h3>'
        f"<p>{_prose(schema.get('description', ''))}</p><table>{rows}</table></section>"
    )


def _prose(text: str) -> str:
    """Return a description as HTML, with text in backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _type(schema: Schema) -> str:
    """Describe a schema in a few words, with links to the schemas that it names."""
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
            ("exclusiveMaximum", " < "),
            ("maxLength", ", at most "),
        )
        if key in schema
    )
    return escape(f"{schema.get('type', 'anything')}{limits}")
