"""The notices that go with the page. They are written by its build (`frontend/third-party.ts`)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lamplighter.serving.apps.app import create_app
from lamplighter.web.http.assets import PLOTLY
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import PORT, call

ROOT = Path(__file__).parents[3]
PERMISSIONS = {
    "(MPL-2.0)": "If a copy of the MPL was not distributed with this file, You can obtain one at",
    "(MIT)": "The above copyright notice and this permission notice shall be included in all copies",
    "(OFL-1.1)": "each copy contains the above copyright notice and this license",
}
"""By licence: words of the notice that its packages must bring."""


@pytest.fixture(scope="module")
def notices() -> dict[str, str]:
    """Return the notice of each package, in one line, by its title."""
    built = (ROOT / "static" / "app" / "THIRD-PARTY.txt").read_text(encoding="utf-8")
    sections = [part.strip().partition("\n") for part in re.split(r"^-{80}$", built, flags=re.M)[1:]]
    return {title: " ".join(text.split()) for title, _, text in sections}


def test_the_notices_name_what_is_in_the_page(notices: dict[str, str]):
    names = [title.split()[0] for title in notices]
    assert {"svelte", "plotly.js-basic-dist-min"} <= set(names)
    assert len(names) == len(set(names))
    assert "@fontsource-variable/inter" in names
    for title, text in notices.items():
        permission = PERMISSIONS.get(title.rpartition(" ")[2])
        assert permission is not None, f"{title}: is that a licence we can ship under?"
        assert permission in text, title
        if title.endswith("(MPL-2.0)"):
            assert re.match(r"Its source code, which is not changed here: https://", text), title
        else:
            assert "Copyright" in text, title


def test_plotly_is_the_release_that_was_examined(notices: dict[str, str]):
    script = (ROOT / "static" / "app" / PLOTLY).read_text(encoding="utf-8")
    found = re.search(r"plotly\.js \(basic - minified\) v(\S+)", script[:300])
    assert found
    assert "MIT license" in script[:300]
    assert f"plotly.js-basic-dist-min {found[1]} (MIT)" in notices
    # Before this is changed: read its release notes, and look at the map and the charts.
    decision = ROOT / "docs/decisions/0007-land-and-names-travel-with-the-lamps.md"
    assert f"plotly.js {found[1]}" in decision.read_text(encoding="utf-8")
    # The content security policy forbids code that is compiled at run time.
    assert not re.search(r"\bnew Function\b|(?<![\w.$])(?:Function|eval)\(", script)


@pytest.mark.anyio
async def test_the_notices_are_served(tmp_path: Path):
    app = create_app(ServerSettings(tmp_path, port=PORT, roles=()))
    answer = await call(app, "GET", "/app/THIRD-PARTY.txt")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"svelte" in answer.body
