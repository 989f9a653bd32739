"""`make reference` writes every public name of the Python API, with its docstring."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_reference_has_every_public_name(tmp_path: Path):
    subprocess.run([sys.executable, ROOT / "docs/making/make_reference.py", tmp_path], check=True, cwd=ROOT)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    stub = ast.parse((ROOT / "backend/lamplighter/__init__.pyi").read_text(encoding="utf-8"))
    (public,) = (ast.literal_eval(node.value) for node in stub.body if isinstance(node, ast.Assign))
    # The callbacks of trainers that are not installed are left out.
    wanted = {name for name in public if not name.endswith("Callback")}
    assert wanted
    assert wanted <= set(re.findall(r'<section id="(\w+)">', page))
