"""Tell which definitions of the backend differ between two commits, wherever they stand and whatever their docstrings say.

    python -m tests.moved_definitions BEFORE [AFTER]

A commit that only moves prints nothing and exits 0. AFTER is the working tree if it is not given.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def read_definitions(sources: list[str]) -> Counter[tuple[str, str]]:
    """Return how often each definition and each assignment at the top of a module occurs, as (name, AST)."""
    found = Counter[tuple[str, str]]()
    for source in sources:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, _DEFINITIONS) and ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
        for node in tree.body:
            if isinstance(node, _DEFINITIONS):
                found[node.name, ast.dump(node)] += 1
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found[", ".join(ast.unparse(target) for target in targets), ast.dump(node)] += 1
    return found


def read_sources(commit: str | None) -> list[str]:
    """Return the text of each module of the backend at `commit`, or of the working tree."""
    words = ["git", "ls-files"] if commit is None else ["git", "ls-tree", "-r", "--name-only", commit, "--"]
    listed = subprocess.run([*words, "backend/"], check=True, capture_output=True, text=True).stdout.split(
        "\n"
    )
    paths = [path for path in listed if path.endswith(".py")]
    if commit is None:
        return [Path(path).read_text("utf-8") for path in paths if Path(path).exists()]
    wanted = "".join(f"{commit}:{path}\n" for path in paths)
    batch = subprocess.run(
        ["git", "cat-file", "--batch"], input=wanted.encode(), check=True, capture_output=True
    )
    sources, rest = [], batch.stdout
    while rest:
        head, _, rest = rest.partition(b"\n")
        size = int(head.split()[-1])
        sources.append(rest[:size].decode())
        rest = rest[size + 1 :]
    return sources


def main() -> int:
    """Return the exit status: 0 if nothing but places and docstrings differ."""
    before = read_definitions(read_sources(sys.argv[1]))
    after = read_definitions(read_sources(sys.argv[2] if len(sys.argv) > 2 else None))
    gone, come = before - after, after - before
    for name, _ in sorted(gone):
        print(f"{'changed' if any(name == other for other, _ in come) else 'removed'}: {name}")
    for name, _ in sorted(come):
        if all(name != other for other, _ in gone):
            print(f"added: {name}")
    return 1 if gone or come else 0


if __name__ == "__main__":
    sys.exit(main())
