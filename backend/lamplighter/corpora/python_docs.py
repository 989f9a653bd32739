"""The documentation of installed Python packages as a corpus: real technical English, without a download.

Docstrings are extracted from the source files with `ast`, without importing packages. The text is cached in the user's
cache folder under a name that depends on the packages' versions.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import platformdirs

from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.docstring_text import extract_prose

STANDARD_LIBRARY = "python"
"""Name of the standard library among the packages."""
PACKAGES = (STANDARD_LIBRARY, "numpy", "scipy", "sklearn", "torch")
"""Packages to read if installed, in this order."""

_REVISION = 1
"""Version of the extraction; increase it when the extracted prose changes, to invalidate caches."""
_TORCH_PARTS = [
    "nn",
    "optim",
    "utils/data",
    "distributions",
    "autograd",
    "linalg",
    "fft",
    "special",
    "sparse",
    "func",
    "amp",
    "ao/nn",
    "export",
    "_torch_docs.py",
    "_tensor_docs.py",
    "_tensor.py",
    "functional.py",
    "serialization.py",
    "random.py",
    "storage.py",
    "hub.py",
]
"""Parts of torch that document its use; the rest is 2,000 files of internals."""
_SKIPPED = frozenset(
    [
        "test",
        "tests",
        "testing",
        "site-packages",
        "dist-packages",
        "__pycache__",
        "idlelib",
        "lib2to3",
        "turtledemo",
        "ensurepip",
        "pydoc_data",
        "_pyinstaller",
        "externals",
        "_vendor",
        "distutils",
        "f2py",
        "array_api_compat",
        "array_api_extra",
    ]
)
_ADDED_DOCS = frozenset({"add_docstr", "add_newdoc", "_add_docstr", "add_docstr_all"})
"""Functions with which numpy and torch document C code."""


def _root(package: str) -> Path | None:
    if package == STANDARD_LIBRARY:
        return Path(sysconfig.get_paths()["stdlib"])
    with contextlib.suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            return Path(next(iter(spec.submodule_search_locations)))
    return None


def _version(package: str) -> str:
    if package == STANDARD_LIBRARY:
        return sys.version.split()[0]
    names = {"sklearn": "scikit-learn"}
    try:
        return importlib.metadata.version(names.get(package, package))
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _files(package: str, root: Path) -> list[Path]:
    """List the package's source files, in an order that does not depend on the file system."""
    parts = [root / part for part in _TORCH_PARTS] if package == "torch" else [root]
    found: list[Path] = []
    for part in parts:
        if part.is_file():
            found.append(part)
        elif part.is_dir():
            files = part.rglob("*.py")
            found.extend(sorted(file for file in files if not _SKIPPED & set(file.relative_to(root).parts)))
    return found


def _docstrings(file: Path) -> Iterator[str]:
    """Yield the docstrings of one source file in order; none if it cannot be read or parsed."""
    try:
        source = file.read_text(encoding="utf-8")
        if '"""' not in source and "'''" not in source:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in their source
            tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        pending.extend(reversed(list(ast.iter_child_nodes(node))))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield text
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else None
            name = node.func.id if isinstance(node.func, ast.Name) else name
            if name in _ADDED_DOCS:
                for part in ast.walk(node):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and "\n" in part.value:
                        yield part.value


def _collect(roots: dict[str, Path], progress: Callable[[float, str], None] | None) -> str:
    files = [(package, file) for package, root in roots.items() for file in _files(package, root)]
    seen: set[str] = set()
    documents: list[str] = []
    for number, (package, file) in enumerate(files):
        if progress is not None and number % 25 == 0:
            progress(number / len(files), f"reading the manuals of {package}")
        for docstring in _docstrings(file):
            # Packages repeat whole paragraphs from one function to the next; use each only once.
            fresh = [text for text in extract_prose(docstring) if text not in seen]
            seen.update(fresh)
            if fresh:
                documents.append(" ".join(fresh))
    return "\n\n".join(documents)


def _read_cache(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _write_cache(path: Path, text: str) -> None:
    """Write the cache atomically; ignore errors, which only slow down the next call."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise


def read_python_docs(
    progress: Callable[[float, str], None] | None = None,
    packages: Sequence[str] = PACKAGES,
    cache: Path | None = None,
) -> str:
    """Read the prose of the packages' docstrings, with blank lines between paragraphs. The result depends only on the
    packages' versions.

    Skips packages that are not installed.

    Args:
        progress: called with the share done, from 0 to 1, and a description.
        packages: the packages to read; `python` is the standard library.
        cache: the folder for the cached text; by default the user's cache folder.

    Raises:
        CorpusError: none of the packages has its source installed.
    """
    roots = {package: root for package in packages if (root := _root(package)) is not None}
    described = "\n".join([str(_REVISION), *(f"{package} {_version(package)}" for package in roots)])
    folder = Path(platformdirs.user_cache_dir("lamplighter")) if cache is None else cache
    path = folder / f"manuals-{hashlib.sha256(described.encode()).hexdigest()[:16]}.txt"
    text = _read_cache(path)
    if not text:
        text = _collect(roots, progress)
        if not text:
            raise CorpusError(
                "no manuals are found on this machine: the packages come without source; bring a text file"
            )
        _write_cache(path, text)
    if progress is not None:
        progress(1.0, "the manuals are read")
    return text
