"""The build script of the page: on what a built page depends."""

from __future__ import annotations

from pathlib import Path

import build_frontend
import pytest


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    frontend = tmp_path / "frontend"
    (frontend / build_frontend.GENERATED).mkdir(parents=True)
    (frontend / "src" / "main.ts").write_text("run();\n")
    (frontend / "openapi.json").write_text("{}\n")
    return frontend


def test_a_page_is_out_of_date_once_the_document_is_another(frontend: Path):
    before = build_frontend.source_hash(frontend.parent)
    (frontend / "openapi.json").write_text('{"paths": {}}\n')
    assert build_frontend.source_hash(frontend.parent) != before


def test_what_is_generated_from_the_document_makes_no_page_out_of_date(frontend: Path):
    before = build_frontend.source_hash(frontend.parent)
    (frontend / build_frontend.GENERATED / "schema.ts").write_text("export {};\n")
    assert build_frontend.source_hash(frontend.parent) == before
