"""The notices that go with the page. They are written by its build (`frontend/third-party.ts`)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lamplighter.serving.apps.app import create_app
from lamplighter.web.http.assets import Assets
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import PORT, call

ROOT = Path(__file__).parents[3]
PERMISSIONS = {
    "(MPL-2.0)": "If a copy of the MPL was not distributed with this file, You can obtain one at",
    "(MIT)": "The above copyright notice and this permission notice shall be included in all copies",
    "(OFL-1.1)": "each copy contains the above copyright notice and this license",
}
"""By licence: words of the notice that its packages must bring."""
HOLDER = r"Copyright [\d-]+, Plotly, Inc\."


@pytest.fixture(scope="module")
def notices() -> dict[str, str]:
    """Return the notice of each package, in one line, by its title."""
    built = (ROOT / "static" / "app" / "THIRD-PARTY.txt").read_text(encoding="utf-8")
    sections = [part.strip().partition("\n") for part in re.split(r"^-{80}$", built, flags=re.M)[1:]]
    return {title: " ".join(text.split()) for title, _, text in sections}


def test_the_notices_name_what_is_in_the_page(notices: dict[str, str]):
    names = [title.split()[0] for title in notices]
    assert {"svelte", "plotly.js"} <= set(names)
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


def test_the_notice_of_plotly_is_that_of_the_script_that_is_served(notices: dict[str, str]):
    script = Assets().plotly()
    assert script is not None
    head = script.plain.read_bytes()[:300].decode()
    assert re.search(HOLDER, head)
    assert "MIT license" in head
    assert re.search(HOLDER, notices["plotly.js (MIT)"])


@pytest.mark.anyio
async def test_the_notices_are_served(tmp_path: Path):
    app = create_app(ServerSettings(tmp_path, port=PORT, roles=()))
    answer = await call(app, "GET", "/app/THIRD-PARTY.txt")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"svelte" in answer.body
