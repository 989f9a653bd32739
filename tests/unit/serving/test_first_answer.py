"""The modules that `lamplighter serve` imports before it answers are few, and stay so."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

MAX_OWN = 167
"""Modules of Lamplighter. Python and FastAPI alone take a third of a second; each hundred more take a tenth. It was 163 until 30
November 2026: four more say which settings a text brings, whether a file lies elsewhere, and which pusher asks."""
ROOMS = {
    *(
        "cli",
        "contract",
        "corpora",
        "exports",
        "platform",
        "processes",
        "runfolder",
        "serving",
        "web",
        "wire",
    ),
}
PACKAGES = {
    *("annotated_doc", "annotated_types", "anyio", "apsw", "click", "fastapi", "h11", "idna", "numpy", "opentelemetry"),
    *("pydantic", "pydantic_core", "sniffio", "starlette", "typing_extensions", "typing_inspection", "uvicorn"),
    *("websockets", "zstandard", "platformdirs"),
    # starlette imports it where it is installed, as with the extra `agents`.
    "python_multipart",
}  # fmt: skip
ADVICE = (
    "The server would answer later. Import the module in the function that needs it, or where the rest of the server is"
    " attached (`serving/apps/app.py`), which happens after the first answer; only what the page, sessions and the supervisor"
    " need comes before."
)
SERVE = """
import os, sys
from lamplighter.cli import main
from lamplighter.serving.servers import web_server

def attach_rest(app):
    print("loaded:", *sorted(sys.modules), flush=True)
    os._exit(0)

web_server._attach_rest = attach_rest
sys.argv = ["lamplighter", "serve", "--runs", sys.argv[1], "--no-browser", "--port", "0"]
main()
"""


def loaded_before_the_first_answer(runs: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(runs)], capture_output=True, text=True, timeout=60, check=True
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("loaded:")]
    return line.split()[1:]


def test_few_modules_are_imported_before_the_first_answer(tmp_path: Path) -> None:
    loaded = loaded_before_the_first_answer(tmp_path)
    own = [name.split(".") for name in loaded if name.startswith("lamplighter.")]
    rooms = Counter(parts[1] for parts in own if len(parts) > 2)
    assert rooms.keys() <= ROOMS, f"{rooms.keys() - ROOMS} are imported now. {ADVICE}"
    assert len(own) <= MAX_OWN, f"{len(own)} modules, of {dict(rooms)}. {ADVICE}"
    others = {name.split(".")[0] for name in loaded} - sys.stdlib_module_names - {"lamplighter", "__main__"}
    others = {name for name in others if not name.startswith("_")}
    assert others <= PACKAGES, f"{others - PACKAGES} are imported now. {ADVICE}"
