"""Tests that each check of the page finds a violation planted for it in a small page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import build_frontend
import pytest

# `make check` runs these tools on the page itself; only a change to their settings can break what is tested here.
pytestmark = pytest.mark.tour

FRONTEND = Path(build_frontend.ROOT, "frontend")
SETTINGS = (
    ".dependency-cruiser.mjs",
    ".prettierrc.json",
    "eslint.config.js",
    "layers.js",
    "no-store-writes.js",
    "package.json",
    "svelte.config.js",
    "text-in-markup.js",
    "tsconfig.json",
)

PAGE = {
    "benchmark/main.ts": 'import { upward } from "../src/api/upward";\n\nupward();\n',
    # A wrong type.
    "src/app/Page.svelte": '<script lang="ts">\n  let words: string = 1;\n</script>\n\n{words}\n',
    # A floating promise.
    "src/model/floating.ts": "export async function later() {}\n\nlater();\n",
    "src/ui/Floating.svelte": '<script lang="ts">\n  async function later() {}\n  later();\n</script>\n',
    # An object and a truth where text belongs, beside what is text.
    "src/ui/Failure.svelte": '<script lang="ts">\n'
    "  let { problem, name, many }: Props = $props();\n\n"
    "  interface Props {\n    problem: { code: string } | null;\n    name: string | null;\n    many: number;\n  }\n"
    "</script>\n\n{problem}\n{many > 1}\n{name}\n{many}\n{problem?.code}\n",
    # Writes to a store, in a script and in markup.
    "src/state/switch.ts": "export class Switch {\n  on = false;\n}\n",
    "src/ui/Script.svelte": '<script lang="ts">\n  import type { Switch } from "../../state/switch";\n\n'
    "  let { light }: { light: Switch } = $props();\n  light.on = true;\n</script>\n",
    "src/ui/Markup.svelte": '<script lang="ts">\n  import type { Switch } from "../../state/switch";\n\n'
    "  let { light }: { light: Switch } = $props();\n</script>\n\n"
    '<input type="checkbox" bind:checked={light.on} />\n',
    "src/ui/Long.svelte": "<p>long</p>\n" * 401,
    # Upward imports: of a value, and of a type by a component.
    "src/api/upward.ts": 'import { words } from "../strings/words";\n\nexport const upward = () => words;\n',
    "src/api/generated/schema.ts": "export type Answered = string;\n",
    "src/api/named.ts": 'import type { Answered } from "./generated/schema";\n\nexport type Named = Answered;\n',
    "src/strings/words.ts": 'export const words = "";\n',
    "src/state/store.ts": 'import type { App } from "./app-state";\n\nexport type Store = App;\n',
    "src/state/app-state.ts": "export type App = string;\n",
    "src/map/Upward.svelte": '<script lang="ts">\n'
    '  import type { App } from "../state/app-state";\n\n  let app: App = "";\n</script>\n\n{app}\n',
    # A circle.
    "src/model/hen.ts": 'import type { Egg } from "./egg";\n\nexport type Hen = Egg[];\n',
    "src/model/egg.ts": 'import type { Hen } from "./hen";\n\nexport type Egg = Hen | null;\n',
    # Another panel's room, Plotly, late parts loaded at once, the composition of the page.
    "src/features/map/other.ts": 'import { own } from "../compare/own";\n\nexport const other = own;\n',
    "src/features/compare/own.ts": 'import "../../charts/plotly/plotly";\nimport "../../map/export/film";\n'
    'import "../../charts/matrix/raster";\n'
    'import "../export/film-export";\nimport "../run/recipe-form";\nimport "../map/MapPanel.svelte";\n\n'
    "export const own = 1;\n",
    "src/charts/plotly/plotly.ts": "export const plotly = 1;\n",
    "src/map/export/film.ts": "export const film = 1;\n",
    "src/charts/matrix/raster.ts": "export const raster = 1;\n",
    "src/features/runs/recipe-form.ts": "export const recipeForm = 1;\n",
    "src/features/map/MapPanel.svelte": "<p>settings</p>\n",
    "src/features/export/film-export.ts": "export const filmExport = 1;\n",
    "src/app/composed.ts": 'import "../../app/composition";\n',
    "src/app/composition.ts": "export const composition = 1;\n",
    "src/model/orphan.ts": "export const orphan = 1;\n",
    # Wrong quotes, no semicolon.
    "src/model/untidy.ts": "export const untidy = 'one'\n",
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a page whose files break rules, with our settings and tools."""
    build_frontend.install(FRONTEND)
    root = tmp_path_factory.mktemp("page")
    for name in SETTINGS:
        shutil.copy(FRONTEND / name, root / name)
    (root / "node_modules").symlink_to(FRONTEND / "node_modules", target_is_directory=True)
    for name, text in PAGE.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture(scope="module")
def checked(page: Path) -> subprocess.CompletedProcess[str]:
    """Run `build_frontend.check` on that page, in a process of its own, since its tools write past Python."""
    code = "import sys, pathlib, build_frontend; build_frontend.check(pathlib.Path(sys.argv[1]))"
    return subprocess.run(
        [sys.executable, "-c", code, str(page)],
        cwd=build_frontend.ROOT,
        # Some tools write colours even into a pipe where CI is set.
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )


def test_each_tool_that_found_something_is_named(checked: subprocess.CompletedProcess[str]):
    assert checked.returncode != 0
    named = checked.stderr.strip().splitlines()[-1]
    for tool in ("svelte-check", "eslint", "dependency-cruiser", "prettier"):
        assert re.search(rf"\b{tool} .*?ended with exit status", named), named


def test_svelte_check_finds_a_wrong_type(checked: subprocess.CompletedProcess[str]):
    assert re.search(
        r"src/app/Page\.svelte:2:.*\n.*'number' is not assignable to type 'string'", checked.stdout
    )


@pytest.mark.parametrize(
    ("rule", "file"),
    [
        ("@typescript-eslint/no-floating-promises", "src/model/floating.ts"),
        ("@typescript-eslint/no-floating-promises", "src/ui/Floating.svelte"),
        ("@typescript-eslint/no-restricted-imports", "src/map/Upward.svelte"),
        ("page/text-in-markup", "src/ui/Failure.svelte"),
        ("state/no-store-writes", "src/ui/Script.svelte"),
        ("state/no-store-writes", "src/ui/Markup.svelte"),
        ("max-lines", "src/ui/Long.svelte"),
    ],
)
def test_eslint_stops(rule: str, file: str, checked: subprocess.CompletedProcess[str], page: Path):
    about: dict[str, str] = {}
    name = ""
    for line in checked.stdout.splitlines():
        if line.startswith(str(page)):
            name = line.removeprefix(f"{page}/")
        elif name and line.startswith("  "):
            about[name] = about.get(name, "") + line + "\n"
    assert re.search(rf"error .* {re.escape(rule)}$", about[file], re.MULTILINE)


@pytest.mark.parametrize(
    ("rule", "file"),
    [
        ("no circles", "src/model/(hen|egg)"),
        ("api knows only what is below", "src/api/upward"),
        ("only rest-types names the schemas", "src/api/named"),
        ("a store does not know the whole page's state", "src/state/store"),
        ("nothing imports app", "src/app/composed"),
        ("a panel's room is its own", "src/features/map/other"),
        ("only figures know Plotly", "src/features/compare/own"),
        ("pictures and films load late", "src/features/compare/own"),
        ("panels that are opened later load late", "src/features/compare/own"),
        ("no orphans", "src/model/orphan"),
    ],
)
def test_dependency_cruiser_stops(rule: str, file: str, checked: subprocess.CompletedProcess[str]):
    assert re.search(rf"error {re.escape(rule)}: {file}\.ts", checked.stdout)


def test_prettier_finds_what_it_would_write_otherwise(checked: subprocess.CompletedProcess[str]):
    assert "src/model/untidy.ts" in checked.stderr
