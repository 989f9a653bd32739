"""A gallery: a folder of packed pages with an index, for any static file host and any path."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lamplighter.exports.output import ExportError, ExportProgress, atomic_output, no_progress
from lamplighter.exports.run_picture import RunPicture, describe_run
from lamplighter.packing.packed_run import pack_run
from lamplighter.packing.page import (
    NOTICES,
    Preview,
    digest_source,
    icon_url,
    preview_tags,
    read_notices,
    render_page,
    write_files,
)
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import derive_run_name, read_run_name

PICTURE_SIZE = (1200, 630)
"""Width and height in pixels of a picture for link previews."""
MAX_RUNS = 200
_TITLE = "Watch a language model learn"
_SENTENCE = (
    "Each light is a word. A small language model reads, and each step moves some of them. See where they go."
)
_HERE = Path(__file__).parent
_SPACE_CARD = """\
---
title: Watch a language model learn
emoji: 🏮
colorFrom: indigo
colorTo: yellow
sdk: static
license: mit
---

Made with Lamplighter. Each page holds a run and needs no server.
"""
"""What makes the folder a static Space of the Hugging Face Hub; other hosts ignore it."""


@dataclass(frozen=True)
class _Card:
    run: RunFolder
    name: str
    sentence: str

    @property
    def page(self) -> str:
        return f"{self.run.id}.html"

    @property
    def picture(self) -> str:
        return f"{self.run.id}.png"


def write_gallery(
    runs: Sequence[RunFolder], out: Path, url: str | None = None, progress: ExportProgress = no_progress
) -> Path:
    """Write a gallery of runs, in the order of their cards, into a new folder, whole or not at all. `url`:
    the future address, needed for pictures in link previews; None: no pictures. It raises ExportError.
    """
    if not runs:
        raise ExportError("a gallery needs a run: name one, as lamplighter runs lists them")
    if len(runs) > MAX_RUNS:
        raise ExportError(f"a gallery has at most {MAX_RUNS} runs, and these are {len(runs)}")
    base = _check_url(url)
    with atomic_output(out) as folder:
        folder.mkdir()
        cards: list[_Card] = []
        for index, run in enumerate(dict.fromkeys(runs)):
            card = _Card(run, read_run_name(run) or derive_run_name(run), describe_run(run))
            _write_page(card, folder, base, _part(progress, index, len(runs), card.name))
            cards.append(card)
        (folder / NOTICES).write_text(read_notices(), encoding="utf-8", newline="\n")
        (folder / "index.html").write_text(_render_index(cards, base), encoding="utf-8", newline="\n")
        (folder / "README.md").write_text(_SPACE_CARD, encoding="utf-8", newline="\n")
        if base is not None:
            (folder / "sitemap.xml").write_text(_render_sitemap(cards, base), encoding="utf-8", newline="\n")
    progress(1.0, out.name)
    return out


def _write_page(card: _Card, folder: Path, base: str | None, progress: ExportProgress) -> None:
    picture_url = None if base is None else base + card.picture
    preview = Preview(f"{card.name} · Lamplighter", card.sentence, picture_url)
    packed = pack_run(card.run, progress, beside=True)
    (folder / card.page).write_text(render_page(packed, preview), encoding="utf-8", newline="\n")
    write_files(packed, folder)
    (folder / card.picture).write_bytes(RunPicture(card.run, size=PICTURE_SIZE).png())


def _render_sitemap(cards: Sequence[_Card], base: str) -> str:
    addresses = "".join(
        f"<url><loc>{html.escape(base + page)}</loc></url>" for page in ("", *(card.page for card in cards))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{addresses}</urlset>\n'
    )


def _part(progress: ExportProgress, index: int, count: int, name: str) -> ExportProgress:
    return lambda share, _what: progress((index + share) / count, name)


def _check_url(url: str | None) -> str | None:
    """Return a web address with a trailing slash, or raise ExportError."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        fits = bool(parts.hostname) and parts.scheme in ("http", "https")
        fits = fits and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        fits = False
    if not fits:
        raise ExportError(
            f"--url: {url[:80]!r} is not the address of a folder such as https://example.org/city/"
        )
    return url.rstrip("/") + "/"


def _render_index(cards: Sequence[_Card], base: str | None) -> str:
    style = (_HERE / "gallery.css").read_text(encoding="utf-8").strip()
    preview = Preview(_TITLE, _SENTENCE, None if base is None else base + cards[0].picture)
    items = "\n".join(
        f'      <li><a href="{html.escape(card.page)}">'
        f'<img src="{html.escape(card.picture)}" width="{PICTURE_SIZE[0]}" height="{PICTURE_SIZE[1]}" alt="" />'
        f"<h2><bdi>{html.escape(card.name)}</bdi></h2><p>{html.escape(card.sentence)}</p></a>"
        f'<a class="also" href="{html.escape(card.page)}?lang=de" hreflang="de" lang="de">Auf Deutsch</a></li>'
        for card in cards
    )
    return f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file: data:; style-src {digest_source(style)}; base-uri 'none'; form-action 'none'" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="dark" />
    <meta name="description" content="{html.escape(_SENTENCE)}" />
    <meta name="generator" content="Lamplighter" />
    <title>{html.escape(_TITLE)}</title>
{preview_tags(preview)}    <link rel="icon" href="{icon_url()}" />
    <style>{style}</style>
  </head>
  <body>
    <main>
      <h1>{html.escape(_TITLE)}</h1>
      <p class="lead">{html.escape(_SENTENCE)}</p>
      <ul>
{items}
      </ul>
      <p class="foot">Made with Lamplighter. <a href="{NOTICES}">Third-party notices</a>.</p>
    </main>
  </body>
</html>
"""
