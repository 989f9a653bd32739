"""The size of each room, held against `lines.toml`: `make check` refuses growth.

    python -m tests.lines           exit with 1 if a room is larger than its budget, or a commit raised one in silence
    python -m tests.lines --fall    lower each budget to the size of today

Lines are all lines of the files that git follows, statements those of Python's syntax tree without docstrings, which
longer lines do not help. A raise is a commit of its own whose subject begins `budget:` and whose body says what was
paid for it.
"""

from __future__ import annotations

import ast
import itertools
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUDGET = "lines.toml"
_HEAD = """\
# The budget of each room, which `make check` holds. `python -m tests.lines --fall` lowers it to what is there. A raise is a
# commit of its own, `budget: ...`, whose body says what was paid for it.
"""
Size = dict[str, int]
"""Lines, files, and for Python statements."""


def find_room(path: str) -> str | None:
    """Return the room of a file, or None if it is data, generated or at the top."""
    folder, _, rest = path.partition("/")
    parts = path.split("/")
    match folder:
        case "backend" if path.endswith(".py"):
            return "/".join(parts[: 3 if parts[1] == "lamplighter" and len(parts) > 3 else 2])
        case "frontend" if (
            parts[1] == "src"
            and "generated" not in parts
            and path.endswith((".ts", ".svelte", ".css", ".js"))
        ):
            if ".test." in parts[-1] or "testing" in parts:
                return "frontend/tests"
            return "/".join(parts[:3]) if len(parts) > 3 else "frontend/src"
        case "tests" | "benchmarks" if path.endswith((".py", ".js")):
            return f"tests/{parts[1]}" if folder == "tests" and len(parts) > 2 else folder
        case "docs" if path.endswith((".md", ".py")):
            return "docs/decisions" if rest.startswith("decisions/") else "docs"
        case _:
            return None


def count_statements(source: str) -> int:
    """Return the number of statements of a module without docstrings."""
    return sum(
        isinstance(node, ast.stmt)
        and not (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        )
        for node in ast.walk(ast.parse(source))
    )


def measure_rooms(root: Path) -> dict[str, Size]:
    """Return the size of each room of the tree at `root`."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rooms = defaultdict[str, Size](dict)
    for path in set(listed.splitlines()):
        if (room := find_room(path)) is None or not (root / path).is_file():
            continue
        source = (root / path).read_text("utf-8")
        sizes = {"lines": source.count("\n"), "files": 1}
        if path.endswith(".py"):
            sizes["statements"] = count_statements(source)
        for name, size in sizes.items():
            rooms[room][name] = rooms[room].get(name, 0) + size
    return dict(rooms)


def find_growth(sizes: dict[str, Size], budget: dict[str, Size]) -> list[str]:
    """Return a sentence for each number that is over its budget, and for each room without one."""
    told = [f"{room} has no budget: give it one in {BUDGET}" for room in sorted(sizes.keys() - budget.keys())]
    for room, limits in sorted(budget.items()):
        for name, limit in limits.items():
            if (size := sizes.get(room, {}).get(name, 0)) > limit:
                told.append(
                    f"{room} has {size:,} {name}, {size - limit:,} more than its budget: pay for them there"
                )
    return told


def find_silent_raises(root: Path) -> list[str]:
    """Return a sentence for each commit that raised a budget beside other changes, or without a word."""

    def run(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout

    told = []
    commits = run("log", "--no-merges", "--format=%H", "--", BUDGET).split()
    for commit, before in itertools.pairwise(commits):
        old, new = (tomllib.loads(run("show", f"{one}:{BUDGET}")) for one in (before, commit))
        raised = [
            room
            for room in old.keys() & new.keys()
            if any(new[room].get(name, 0) > old[room][name] for name in old[room])
        ]
        subject, _, body = run("log", "-1", "--format=%B", commit).strip().partition("\n")
        alone = run("show", "--format=", "--name-only", commit).split() == [BUDGET]
        if raised and not (subject.startswith("budget: ") and body.strip() and alone):
            told.append(
                f"{commit[:8]} raises {', '.join(sorted(raised))}: a raise is a commit of its own, `budget: ...`, with its reason"
            )
    return told


def read_budget(root: Path) -> dict[str, Size]:
    """Return the budget of each room."""
    return tomllib.loads((root / BUDGET).read_text("utf-8"))


def lower_budget(sizes: dict[str, Size], budget: dict[str, Size]) -> dict[str, Size]:
    """Return the budget at which no room has room to grow, and none is raised."""
    return {
        room: {name: min(size, budget.get(room, {}).get(name, size)) for name, size in numbers.items()}
        for room, numbers in sizes.items()
    }


def write_budget(root: Path, sizes: dict[str, Size]) -> None:
    """Write a budget."""
    rows = (
        f'"{room}" = {{ {", ".join(f"{name} = {size}" for name, size in sizes[room].items())} }}\n'
        for room in sorted(sizes)
    )
    (root / BUDGET).write_text(_HEAD + "".join(rows), "utf-8")


def main() -> int:
    """Return the exit status: 0 if nothing grew."""
    sizes, budget = measure_rooms(ROOT), read_budget(ROOT)
    if sys.argv[1:] == ["--fall"]:
        write_budget(ROOT, lower_budget(sizes, budget))
        return 0
    told = find_growth(sizes, budget) + find_silent_raises(ROOT)
    print("\n".join(told) or "every room is within its budget")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
