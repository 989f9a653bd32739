"""Short pages for a browser that has opened a wrong address. They look like the page, need no script, and reveal
nothing about runs.
"""

from __future__ import annotations

import html

from starlette.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lamplighter: {title}</title><link rel="icon" href="{root}static/lamp.svg">
<link rel="stylesheet" href="{root}static/plain.css"></head>
<body><main><img src="{root}static/lamp.svg" alt="" width="48" height="48">
<h1>{title}</h1>
{paragraphs}
<p><a class="button" href="{root}">{link}</a></p></main></body></html>
"""


def plain_page(status: int, title: str, paragraphs: tuple[str, ...], link: str, root: str) -> HTMLResponse:
    """Return a page with a link to the main page at `root`, which ends in a slash."""
    return HTMLResponse(
        _PAGE.format(
            title=html.escape(title),
            paragraphs="\n".join(f"<p>{html.escape(text)}</p>" for text in paragraphs),
            link=html.escape(link),
            root=html.escape(root),
        ),
        status,
    )


def unknown_page(root: str) -> HTMLResponse:
    text = "The address may be mistyped, or from another version."
    return plain_page(404, "There is no page here", (text,), "Open Lamplighter", root)


def used_link_page(root: str) -> HTMLResponse:
    text = (
        "A presenter link works once, and for a few minutes.",
        "You can still watch. To present, restart Lamplighter for a new link.",
    )
    return plain_page(403, "This presenter link has expired", text, "Watch", root)
