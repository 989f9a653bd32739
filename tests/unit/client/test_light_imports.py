"""The cost of importing the client: no heavy library, measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import lamplighter

HEAVY = ("torch", "umap", "numba", "fastapi", "uvicorn", "starlette", "scipy", "sklearn")


def loaded_after(code: str, folder: Path) -> set[str]:
    said = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    return set(json.loads(said.stdout.splitlines()[-1]))


def test_the_package_alone_loads_nothing(tmp_path: Path) -> None:
    loaded = loaded_after("import lamplighter; assert 'record' in dir(lamplighter)", tmp_path)
    assert not loaded & {*HEAVY, "numpy", "pydantic", "apsw", "websockets"}


def test_recording_reading_and_showing_load_nothing_heavy(tmp_path: Path) -> None:
    code = """
import lamplighter, numpy as np
matrix = np.ones((4, 2), dtype=np.float32)
with lamplighter.record("mine", vocabulary=list("abcd"), embedding=matrix) as recorder:
    matrix[1] += 1
    recorder.step(matrix, [1], 2.0)
assert lamplighter.open("mine").snapshot(1)[1, 0] == 2
np.save("m.npy", matrix)
open("v.txt", "w").write("a\\nb\\nc\\nd\\n")
assert lamplighter.still("still", "m.npy", "v.txt").status.phase == "finished"
lamplighter.follow("http://127.0.0.1:1/?run=x")
"""
    assert not loaded_after(code, tmp_path) & set(HEAVY)


@pytest.mark.parametrize(
    ("name", "package"), [("LightningCallback", "lightning"), ("TransformersCallback", "transformers")]
)
def test_a_callback_without_its_trainer_names_the_package(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f"{name} needs the package {package}: pip install {package}"):
        getattr(lamplighter, name)
