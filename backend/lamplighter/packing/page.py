"""The packed page: one file with scripts, style, fonts and the run, whose policy allows nothing else; and a gallery: a folder
of packed pages with an index, for any static file host and any path.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from lamplighter.contract.sentences import say
from lamplighter.exports.output import ExportError, ExportProgress, atomic_output, no_progress
from lamplighter.exports.run_picture import RunPicture, describe_run
from lamplighter.packing.packed_run import PackedRun, pack_run
from lamplighter.packing.shown_steps import deflate
from lamplighter.platform.static_folder import find_static
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import derive_run_name, read_run_name
from lamplighter.web.http.assets import PLOTLY

NOTICES = "THIRD-PARTY.txt"
"""The name of the file of third-party notices beside a page (`frontend/third-party.ts`)."""
_FIELD = re.compile(r"\{\{([a-z-]+)\}\}")
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Preview:
    """The preview of a link to the page, on other sites."""

    title: str
    sentence: str
    picture_url: str | None = None
    """The picture's address, absolute if known; None: no picture."""


def write_packed_page(
    run: RunFolder, out: Path, progress: ExportProgress, lessons: Path | None = None, live: str | None = None
) -> None:
    """Write the page that shows a run without a server, or raise ExportError. `lessons`: a folder of texts
    that override the course's. `live`: the folder beside the page whose files it follows (`broadcast/`);
    None: the page is complete.
    """
    packed = pack_run(run, progress, lessons, live=live)
    preview = Preview(f"{packed.head['name']} · Lamplighter", describe_run(run))
    out.write_text(render_page(packed, preview), encoding="utf-8", newline="\n")
    for line in packed.left_out:
        progress(1.0, f"left out: {line}")


def render_page(packed: PackedRun, preview: Preview) -> str:
    """Return the HTML of a packed run, or raise ExportError if the page has not been built."""
    built = find_static() / "app" / "packed"
    try:
        script = _inside_script((built / "page.js").read_text(encoding="utf-8"))
        style = _inside_style((built / "page.css").read_text(encoding="utf-8"))
        plotly_style = _inside_style((built.parent / "plotly.css").read_text(encoding="utf-8"))
        plotly = (built.parent / PLOTLY).read_text(encoding="utf-8")
        notices = _inside_script(read_notices())
    except FileNotFoundError as error:
        raise ExportError(say("page_not_built")) from error
    # The part's name is its path on a server.
    parts = packed.parts | {f"/{PLOTLY}": deflate(plotly.encode())}
    fields = {
        "policy": html.escape(_policy([script, plotly], [style, plotly_style], packed.head)),
        "title": html.escape(preview.title),
        "description": html.escape(preview.sentence),
        "preview": preview_tags(preview),
        "icon": icon_url(),
        "plotly-style": plotly_style,
        "style": style,
        "script": script,
        "notices": notices,
        "head": safe_json(packed.head),
        "parts": "\n".join(
            f'    <script type="text/plain" data-part="{html.escape(name)}">'
            f"{base64.b64encode(data).decode('ascii')}</script>"
            for name, data in parts.items()
        ),
    }
    return _FIELD.sub(lambda field: fields[field[1]], (_HERE / "page.html").read_text(encoding="utf-8"))


def write_files(packed: PackedRun, folder: Path) -> None:
    """Write the files that a page loads from beside it when they are needed. They are scripts, each with one
    call: a page opened as a file may read nothing else beside it.
    """
    beside = packed.head["beside"]
    if beside is None:
        return
    (folder / beside["folder"]).mkdir()
    for number, data in enumerate(packed.files):
        call = f'lamplighterFile("{beside["key"]}",{number},"{base64.b64encode(data).decode("ascii")}")\n'
        (folder / beside["folder"] / f"{number}.js").write_text(call, encoding="ascii", newline="\n")


def read_notices() -> str:
    """Return the notices of packages in a built page; raise FileNotFoundError if there is none."""
    return (find_static() / "app" / NOTICES).read_text(encoding="utf-8")


def icon_url() -> str:
    return f"data:image/svg+xml,{quote((find_static() / 'lamp.svg').read_text(encoding='utf-8'))}"


def safe_json(value: Any) -> str:
    """Return JSON that cannot close the script element around it, with any tokens."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    # JSON escapes control characters; a lone surrogate cannot be encoded.
    return text.encode("utf-8", "replace").decode("utf-8")


def _policy(scripts: list[str], styles: list[str], head: dict[str, Any]) -> str:
    # The page's own script, which is named by its digest, may then add others; markup still may not.
    allowed = [*map(digest_source, scripts), *(["'strict-dynamic'"] if head["beside"] else [])]
    connect = "connect-src 'self'; " if head["live"] else ""
    return (
        f"default-src 'none'; script-src {' '.join(allowed)}; style-src {' '.join(map(digest_source, styles))}; "
        f"{connect}font-src data:; img-src data: blob:; media-src blob:; worker-src blob:; base-uri 'none'; form-action 'none'"
    )


def digest_source(text: str) -> str:
    """Return the source expression with which a policy allows exactly this script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _inside_script(text: str) -> str:
    """Return a script that does not close its element early, with escapes valid in strings and patterns."""
    return text.strip().replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _inside_style(text: str) -> str:
    return text.strip().replace("</style", "<\\/style")


def preview_tags(preview: Preview) -> str:
    """Return the meta elements for link previews of a page."""
    tags = {"og:title": preview.title, "og:description": preview.sentence, "og:type": "website"}
    if preview.picture_url is not None:
        tags |= {"og:image": preview.picture_url, "twitter:card": "summary_large_image"}
    return "".join(
        f'    <meta property="{name}" content="{html.escape(text)}" />\n' for name, text in tags.items()
    )


PICTURE_SIZE = (1200, 630)
"""Width and height in pixels of a picture for link previews."""
MAX_RUNS = 200
_TITLE = "Watch a language model learn"
_SENTENCE = (
    "Each light is a word. A small language model reads, and each step moves some of them. See where they go."
)
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
