"""The page as one file: script and style are inline, and its content security policy allows nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

from lamplighter.exports.output import ExportProgress, sub_progress
from lamplighter.exports.page.contents import read_page_data
from lamplighter.runfolder.run_folder import RunFolder

_HERE = Path(__file__).parent
_SCRIPTS = ("reading.js", "drawing.js", "acting.js")
_FIELD = re.compile(r"\{\{([a-z-]+)\}\}")


def write_page(run: RunFolder, out: Path, progress: ExportProgress) -> None:
    """Write the page that replays a run.

    Raises:
        ExportError: the run has no step, or no layout yet.
        FormatError: this version cannot read the folder.
    """
    contents = read_page_data(run, sub_progress(progress, 0.0, 0.9, "reading the run"))
    body = "\n".join(_HERE.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPTS)
    # The parts share one scope, hidden from the rest of the page.
    script = f'"use strict";\n(() => {{\n{body}}})();\n'
    style = _HERE.joinpath("page.css").read_text(encoding="utf-8")
    fields = {
        "title": html.escape(run.id),
        "script": script,
        "style": style,
        "script-hash": _digest(script),
        "style-hash": _digest(style),
        "head": safe_json(contents.head),
        "data": base64.b64encode(contents.packed).decode("ascii"),
    }
    page = _HERE.joinpath("page.html").read_text(encoding="utf-8")
    out.write_text(_FIELD.sub(lambda field: fields[field[1]], page), encoding="utf-8", newline="\n")
    for line in contents.head["about"]:
        if line.startswith("left out: "):
            progress(1.0, line)


def safe_json(value: Any) -> str:
    """Return JSON that cannot close the script element around it, whatever the tokens are."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    # JSON itself escapes control characters; half a surrogate pair cannot be encoded at all.
    return text.encode("utf-8", "replace").decode("utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
