"""Writes `frontend/openapi.json`: the REST interface, as its routes describe it.

    python backend/write_openapi.py            (`make schema`)
    python backend/write_openapi.py --check    write nothing; exit with 1 if the file is out of date (`make check`)

The file stands with the page's sources because the page's types are generated from it, with no Python at hand.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from lamplighter.serving.apps.app import create_app
from lamplighter.web.settings import ServerSettings

FILE = Path(__file__).resolve().parent.parent / "frontend" / "openapi.json"


def main(words: list[str]) -> int:
    """Write the file, or check it. Returns an exit status."""
    text = render()
    if words == ["--check"]:
        if FILE.is_file() and FILE.read_text("utf-8") == text:
            return 0
        print("frontend/openapi.json does not describe these routes: run `make schema`", file=sys.stderr)
        return 1
    FILE.write_text(text, "utf-8")
    return 0


def render() -> str:
    """Return the OpenAPI document as the text of the file."""
    with tempfile.TemporaryDirectory() as runs:
        document = create_app(ServerSettings(runs=Path(runs))).openapi()
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
