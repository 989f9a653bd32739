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


def _component_of(module: str, name: str) -> str:
    """Return the source of a component that imports a type."""
    return f'<script lang="ts">\n  import type {{ {name} }} from "{module}";\n\n  let one: {name} = "";\n</script>\n\n{{one}}\n'


UPWARD = {
    "api": "strings/words",
    "model": "strings/words",
    "packed": "model/shape",
    "charts": "strings/words",
    "strings": "state/switch",
    "state": "strings/words",
    "map": "state/switch",
    "ui": "features/compare/own",
    "features/token": "app/composition",
}
"""An import of each room that `LAYERS` of layers.js forbids."""

PAGE = {
    "benchmark/main.ts": 'import "../src/api/upward";\n',
    # An object and a truth where text belongs, beside what is text.
    "src/ui/Failure.svelte": '<script lang="ts">\n'
    "  let { problem, name, many }: Props = $props();\n\n"
    "  interface Props {\n    problem: { code: string } | null;\n    name: string | null;\n    many: number;\n  }\n"
    "</script>\n\n{problem}\n{many > 1}\n{name}\n{many}\n{problem?.code}\n",
    # Writes to a store, in a script and in markup; to that of a feature, and from its test.
    "src/state/switch.ts": "export class Switch {\n  on = false;\n}\n",
    "src/ui/Script.svelte": '<script lang="ts">\n  import type { Switch } from "../state/switch";\n\n'
    "  let { light }: { light: Switch } = $props();\n  light.on = true;\n</script>\n",
    "src/ui/Markup.svelte": '<script lang="ts">\n  import type { Switch } from "../state/switch";\n\n'
    "  let { light }: { light: Switch } = $props();\n</script>\n\n"
    '<input type="checkbox" bind:checked={light.on} />\n',
    "src/features/games/scores.svelte.ts": "export class Scores {\n  best = 0;\n}\n",
    "src/features/games/Cheat.svelte": '<script lang="ts">\n  import type { Scores } from "./scores.svelte";\n\n'
    "  let { scores }: { scores: Scores } = $props();\n  scores.best = 9;\n</script>\n",
    "src/features/games/scores.test.ts": 'import { Scores } from "./scores.svelte";\n\nnew Scores().best = 9;\n',
    # Upward imports: of values, and of a type by a component.
    **{
        f"src/{room}/upward.ts": f'import "{"../" * (room.count("/") + 1)}{target}";\n'
        for room, target in UPWARD.items()
    },
    "src/model/shape.ts": "export const shape = 1;\n",
    "src/strings/words.ts": 'export const words = "";\n',
    "src/app/composition.ts": "export type Composition = string;\n",
    "src/map/Upward.svelte": _component_of("../state/app-state", "App"),
    "src/api/generated/schema.ts": "export type Answered = string;\n",
    "src/api/named.ts": 'import type { Answered } from "./generated/schema";\n\nexport type Named = Answered;\n',
    "src/state/store.ts": 'import type { App } from "./app-state";\n\nexport type Store = App;\n',
    "src/state/app-state.ts": "export type App = string;\n",
    # A circle.
    "src/model/hen.ts": 'import type { Egg } from "./egg";\n\nexport type Hen = Egg[];\n',
    "src/model/egg.ts": 'import type { Hen } from "./hen";\n\nexport type Egg = Hen | null;\n',
    # A feature that knows another one: by value, and by type from a component and from one in a folder.
    "src/features/compare/own.ts": "export const own = 1;\n\nexport type Own = string;\n",
    "src/features/map/other.ts": 'import "../compare/own";\n',
    "src/features/map/Other.svelte": _component_of("../compare/own", "Own"),
    "src/features/map/within/Other.svelte": _component_of("../../compare/own", "Own"),
    "src/features/map/Composed.svelte": _component_of("../../app/composition", "Composition"),
    # One that may know the class, and nothing else.
    "src/features/classroom/desk.ts": "export const desk = 1;\n\nexport type Desk = string;\n",
    "src/features/lessons/named.ts": 'import "../classroom/desk";\n',
    "src/features/lessons/other.ts": 'import "../compare/own";\n',
    "src/features/lessons/Named.svelte": _component_of("../classroom/desk", "Desk"),
    "src/features/lessons/Other.svelte": _component_of("../compare/own", "Own"),
    # A new one, which no list names.
    "src/features/zoo/other.ts": 'import "../compare/own";\n',
    "src/features/zoo/Other.svelte": _component_of("../compare/own", "Own"),
    # Plotly, and late parts that are loaded at once.
    "src/features/compare/figure.ts": 'import "../../charts/plotly/plotly";\n',
    "src/charts/plotly/plotly.ts": "export const plotly = 1;\n",
    "src/app/eager.ts": 'import "../map/export/film";\nimport "../charts/matrix/raster";\n'
    'import "../strings/de/words";\nimport "../features/zoo/other";\nimport "../features/token/SelectionStrip";\n',
    "src/features/token/SelectionStrip.ts": 'import "./card";\n',
    "src/features/token/card.ts": "export const card = 1;\n",
    "src/map/export/film.ts": "export const film = 1;\n",
    "src/charts/matrix/raster.ts": "export const raster = 1;\n",
    "src/strings/de/words.ts": "export const words = 1;\n",
    "src/model/orphan.ts": "export const orphan = 1;\n",
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
    for tool in ("eslint", "dependency-cruiser"):
        assert re.search(rf"\b{tool} .*?ended with exit status", named), named


@pytest.fixture(scope="module")
def refused(checked: subprocess.CompletedProcess[str], page: Path) -> dict[str, str]:
    """Return what ESLint says of each file that it refuses."""
    about: dict[str, str] = {}
    name = ""
    for line in checked.stdout.splitlines():
        if line.startswith(str(page)):
            name = line.removeprefix(f"{page}/")
        elif name and line.startswith("  "):
            about[name] = about.get(name, "") + line + "\n"
    return about


@pytest.mark.parametrize(
    ("rule", "file"),
    [
        ("@typescript-eslint/no-restricted-imports", "src/map/Upward.svelte"),
        ("@typescript-eslint/no-restricted-imports", "src/features/map/Composed.svelte"),
        ("@typescript-eslint/no-restricted-imports", "src/features/map/Other.svelte"),
        ("@typescript-eslint/no-restricted-imports", "src/features/map/within/Other.svelte"),
        ("@typescript-eslint/no-restricted-imports", "src/features/lessons/Other.svelte"),
        ("@typescript-eslint/no-restricted-imports", "src/features/zoo/Other.svelte"),
        ("page/text-in-markup", "src/ui/Failure.svelte"),
        ("state/no-store-writes", "src/ui/Script.svelte"),
        ("state/no-store-writes", "src/ui/Markup.svelte"),
        ("state/no-store-writes", "src/features/games/Cheat.svelte"),
    ],
)
def test_eslint_stops(rule: str, file: str, refused: dict[str, str]):
    assert re.search(rf"error .* {re.escape(rule)}$", refused[file], re.MULTILINE)


def test_eslint_lets_pass(refused: dict[str, str]):
    # A test may set a store up, and the course knows the class.
    assert not {"src/features/games/scores.test.ts", "src/features/lessons/Named.svelte"} & refused.keys()


LATE = "what is opened later loads late"


@pytest.mark.parametrize(
    ("rule", "file"),
    [
        *((f"{room.split('/')[0]} knows only what is below", f"{room}/upward") for room in UPWARD),
        ("no circles", "model/(hen|egg)"),
        ("only rest-types names the schemas", "api/named"),
        ("a store does not know the whole page's state", "state/store"),
        ("nothing imports app", "features/token/upward"),
        ("a feature knows no other feature", "features/map/other"),
        ("a feature knows no other feature", "features/zoo/other"),
        ("lessons knows only the features that layers.js names", "features/lessons/other"),
        ("only figures know Plotly", "features/compare/figure"),
        ("no orphans", "model/orphan"),
    ],
)
def test_dependency_cruiser_stops(rule: str, file: str, checked: subprocess.CompletedProcess[str]):
    assert re.search(rf"error {re.escape(rule)}: src/{file}\.ts", checked.stdout)


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("app/eager", "map/export/film"),
        ("app/eager", "charts/matrix/raster"),
        ("app/eager", "strings/de/words"),
        ("app/eager", "features/zoo/other"),
        ("features/token/SelectionStrip", "features/token/card"),
    ],
)
def test_late_parts_load_late(file: str, part: str, checked: subprocess.CompletedProcess[str]):
    assert re.search(rf"error {LATE}: src/{file}\.ts\s+→\s+src/{part}\.ts", checked.stdout)


def test_dependency_cruiser_lets_pass(checked: subprocess.CompletedProcess[str]):
    for file in ("features/lessons/named", "features/compare/own"):
        assert not re.search(rf"error [^:]*: src/{file}\.ts", checked.stdout)
    assert not re.search(
        rf"{LATE}: src/app/eager\.ts\s+→\s+src/features/token/SelectionStrip", checked.stdout
    )
