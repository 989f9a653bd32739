"""Runs in notebooks: a card without scripts, and the whole page in a cell."""

from __future__ import annotations

import base64
import html
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from lamplighter.exports.export import export_run
from lamplighter.exports.run_picture import RunPicture, describe_run
from lamplighter.platform.own_addresses import LOCAL_ADDRESS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import derive_run_name, read_run_name

PICTURE_SIZE = (640, 360)


def notebook_card(run: RunFolder) -> str:
    """Return a picture of a run, a sentence and a link, as HTML without scripts."""
    picture = base64.b64encode(RunPicture(run, size=PICTURE_SIZE).png()).decode("ascii")
    name = read_run_name(run) or derive_run_name(run)
    link = f"{LOCAL_ADDRESS}/?run={quote(run.id)}"
    width, height = PICTURE_SIZE
    return (
        f'<figure style="margin: 0; max-width: {width}px">'
        f'<img src="data:image/png;base64,{picture}" width="{width}" height="{height}" '
        'style="max-width: 100%; height: auto; border-radius: 8px" '
        f'alt="The words of {html.escape(name)} as a city at night" />'
        f"<figcaption><strong><bdi>{html.escape(name)}</bdi></strong> {html.escape(describe_run(run))} "
        f'<a href="{html.escape(link)}" target="_blank" rel="noopener noreferrer">Open it in Lamplighter</a> '
        "(while it runs on this computer), or put it here with <code>.show()</code>.</figcaption></figure>"
    )


@dataclass(frozen=True)
class NotebookPage:
    """The page of a run for a notebook cell, in a sandboxed frame."""

    html: str = field(repr=False)
    """The page, a complete HTML document."""
    height: int
    """Height of the frame in pixels."""

    @classmethod
    def of_run(cls, run: RunFolder, height: int) -> NotebookPage:
        """Make the page of a run.

        Raises:
            ExportError: the run has no step or no map yet.
            FormatError: this version cannot read the folder.
        """
        with tempfile.TemporaryDirectory(prefix="lamplighter-") as folder:
            page = export_run(run, "html", out=Path(folder) / "run.html")
            return cls(page.read_text(encoding="utf-8"), height)

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" sandbox="allow-scripts allow-downloads" '
            f'title="Lamplighter" style="width: 100%; height: {self.height}px; border: 0; border-radius: 8px" '
            "allowfullscreen></iframe>"
        )
