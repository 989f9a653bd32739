"""The build script of the page: on what a built page depends."""

from __future__ import annotations

import gzip
from pathlib import Path

import build_frontend
import pytest


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    frontend = tmp_path / "frontend"
    (frontend / build_frontend.GENERATED).mkdir(parents=True)
    (frontend / "src" / "main.ts").write_text("run();\n")
    (frontend / "openapi.json").write_text("{}\n")
    table = tmp_path / build_frontend.VIEW_QUERY
    table.parent.mkdir(parents=True)
    table.write_text("{}\n")
    return frontend


def test_a_page_is_out_of_date_once_the_document_is_another(frontend: Path):
    before = build_frontend.source_hash(frontend.parent)
    (frontend / "openapi.json").write_text('{"paths": {}}\n')
    assert build_frontend.source_hash(frontend.parent) != before


def test_a_page_is_out_of_date_once_the_keys_of_an_address_are_others(frontend: Path):
    before = build_frontend.source_hash(frontend.parent)
    (frontend.parent / build_frontend.VIEW_QUERY).write_text('{"panels": []}\n')
    assert build_frontend.source_hash(frontend.parent) != before


def test_what_is_generated_from_the_document_makes_no_page_out_of_date(frontend: Path):
    before = build_frontend.source_hash(frontend.parent)
    (frontend / build_frontend.GENERATED / "schema.ts").write_text("export {};\n")
    assert build_frontend.source_hash(frontend.parent) == before


def test_a_built_page_has_compressed_copies_that_are_the_same_each_time(tmp_path: Path):
    (tmp_path / "assets").mkdir()
    for name in ("assets/a.js", "style.css", "index.html"):
        (tmp_path / name).write_text(f"{name}\n" * 100)
    build_frontend.compress(tmp_path)
    copies = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*.gz")}
    assert copies.keys() == {"assets/a.js.gz", "style.css.gz"}
    assert gzip.decompress(copies["assets/a.js.gz"]) == (tmp_path / "assets/a.js").read_bytes()
    build_frontend.compress(tmp_path)
    assert copies == {
        path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*.gz")
    }
