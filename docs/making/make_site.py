"""Makes the site of the documents: `make site`.

    python docs/making/make_site.py FOLDER [URL]

Each version has a folder of its own in `FOLDER`; `versions.json` and the start page name the newest. `URL` is where `FOLDER` will be, by
default the root of a host: only the page for addresses that are not there needs to know. What the site is built from is
a copy of `docs/`, with the few documents outside it that these link to, and the reference of the Python API. The generator is
Zensical, the maintained successor of Material for MkDocs; it takes `mkdocs.yml`'s settings, which are below.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).parents[2]
OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "INSTALL.md": "install.md",
    "SECURITY.md": "security.md",
    "NOTICE.md": "notice.md",
    "static/lamp.svg": "lamp.svg",
    "static/lessons/en/teacher": "course/en",
    "static/lessons/de/teacher": "course/de",
}
"""Documents that lie outside `docs/`, and where they are on the site."""
_LINK = re.compile(r"\[((?:[^\[\]`]|`[^`]*`)*)\]\((?!\w+:|#|/)([^)\s]+)\)")
"""A relative link, with its text. Those that begin with `?` lead into the app: there is none here."""

NAVIGATION = [
    {"Start": "index.md"},
    {
        "Tutorials": [
            {"One picture and ten words": "tutorials/newcomer.md"},
            {"A lesson in ten minutes": "tutorials/teacher.md"},
            {"Watch your own loop": "tutorials/engineer.md"},
            {"A question, answered from a record": "tutorials/researcher.md"},
        ]
    },
    {
        "How to": [
            {"Install and upgrade": "install.md"},
            {"Show it to a class": "classroom.md"},
            {"Teach with the course": "course.md"},
            {"Use it from Python": "client.md"},
            {"Fork a run": "forks.md"},
            {"Compare two runs": "differences.md"},
            {"Train ten seeds": "sets.md"},
            {"Open checkpoints": "histories.md"},
            {"Find steps that stand out": "outliers.md"},
            {"Export, publish, share": "exports.md"},
            {"Deploy it": "deploy.md"},
        ]
    },
    {
        "Reference": [
            {"Everything on the page": "features.md"},
            {"REST": "rest.md"},
            {"Frames": "wire.md"},
            {"Glossary": "glossary.md"},
            {"Benchmarks": "benchmarks.md"},
            {"Changelog": "changelog.md"},
        ]
    },
    {
        "Explanation": [
            {"How it works, and the exact record": "architecture.md"},
            {"The map": "map.md"},
            {"The claims": "claims.md"},
            {"What could go wrong": "threat-model.md"},
            {"Security": "security.md"},
            {"Contributing": "contributing.md"},
        ]
    },
]
SETTINGS = {
    "site_name": "Lamplighter",
    "site_description": "Watch a language model learn.",
    "docs_dir": "pages",
    "site_dir": "built",
    "use_directory_urls": False,
    "theme": {
        "name": "material",
        # The site loads nothing from other hosts.
        "font": False,
        "logo": "lamp.svg",
        "favicon": "lamp.svg",
        "palette": [
            {
                "scheme": "default",
                "media": "(prefers-color-scheme: light)",
                "primary": "indigo",
                "toggle": {"icon": "material/weather-night", "name": "Night"},
            },
            {
                "scheme": "slate",
                "media": "(prefers-color-scheme: dark)",
                "primary": "indigo",
                "toggle": {"icon": "material/weather-sunny", "name": "Day"},
            },
        ],
        "features": ["navigation.sections", "content.code.copy", "search.highlight"],
    },
    "markdown_extensions": ["tables", "toc", "pymdownx.superfences", "pymdownx.highlight"],
    "extra": {"version": {"provider": "mike"}, "generator": False},
}


def main() -> int:
    """Make the site of this version. Returns an exit status."""
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    site, name = Path(sys.argv[1]), version("lamplighter")
    root = urlsplit(sys.argv[2]).path.rstrip("/") if len(sys.argv) == 3 else ""
    with tempfile.TemporaryDirectory(prefix="site-") as folder:
        project = Path(folder)
        copy_documents(project / "pages")
        (project / "mkdocs.yml").write_text(yaml.safe_dump(SETTINGS | {"nav": NAVIGATION}), encoding="utf-8")
        build = [sys.executable, "-m", "zensical", "build", "--strict"]
        done = subprocess.run(build, cwd=project, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout, done.stderr, file=sys.stderr)
            return 1
        reference = [sys.executable, ROOT / "docs/making/make_reference.py", project / "built/python"]
        subprocess.run(reference, stdout=subprocess.DEVNULL, check=True)
        shutil.rmtree(site / name, ignore_errors=True)
        shutil.move(project / "built", site / name)
    place_missing_page(site, name, f"{root}/{name}/")
    publish_version(site, name)
    print(f"{site / name / 'index.html'}")
    return 0


def copy_documents(pages: Path) -> None:
    """Copy the documents into a folder. Links lead to the same documents there; those to folders and anything else become plain text."""
    copies = {file: pages / file.relative_to(ROOT / "docs") for file in (ROOT / "docs").rglob("*")}
    for outside, inside in OUTSIDE.items():
        copies[ROOT / outside] = pages / inside
        copies |= {file: pages / inside / file.name for file in (ROOT / outside).glob("*.md")}
    for original, copy in copies.items():
        if original.is_dir() or original.suffix == ".py":
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        if original.suffix == ".md":
            text = original.read_text(encoding="utf-8")
            copy.write_text(_redirect_links(text, original, copies), encoding="utf-8")
        else:
            shutil.copyfile(original, copy)


def _redirect_links(text: str, original: Path, copies: dict[Path, Path]) -> str:
    def redirect(link: re.Match[str]) -> str:
        target, _, place = link[2].partition("#")
        found = (original.parent / target).resolve()
        if (found / "README.md").exists():
            found /= "README.md"
        if found not in copies or found.is_dir():
            return link[1]
        return f"[{link[1]}]({os.path.relpath(copies[found], copies[original].parent)}{'#' * bool(place)}{place})"

    return _LINK.sub(redirect, text)


def place_missing_page(site: Path, name: str, path: str) -> None:
    """Make the links of a version's 404.html begin with `path`, and copy it to where hosts look for it.

    A host answers addresses at any depth with it, so relative links would lead nowhere.
    """
    page = site / name / "404.html"
    text = re.sub(r'((?:href=|src=|"base":)")/', rf"\g<1>{path}", page.read_text(encoding="utf-8"))
    for copy in (page, site / "404.html"):
        copy.write_text(text, encoding="utf-8")


def publish_version(site: Path, name: str) -> None:
    """Name a version, as the newest, in the list that each page's choice of versions reads, and on the start page."""
    listed = site / "versions.json"
    others = json.loads(listed.read_text(encoding="utf-8")) if listed.exists() else []
    kept = [one | {"aliases": []} for one in others if one["version"] != name]
    newest = {"version": name, "title": name, "aliases": ["latest"]}
    listed.write_text(json.dumps([newest, *kept], indent=1), encoding="utf-8")
    page = f'<!doctype html><meta charset="utf-8"><title>Lamplighter</title><meta http-equiv="refresh" content="0; url={name}/index.html">'
    (site / "index.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
