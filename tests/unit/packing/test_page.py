"""The packed page as text: nothing can break out, and its policy allows only what it contains."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from lamplighter.exports.output import no_progress
from lamplighter.packing.packed_run import pack_run
from lamplighter.packing.page import Preview, render_page, safe_json, write_packed_page
from tests.support.synthetic_runs.recorded import HOSTILE, record


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    write_packed_page(record(folder / "runs"), folder / "run.html", no_progress)
    return (folder / "run.html").read_text(encoding="utf-8")


def test_json_cannot_break_out_of_the_page() -> None:
    text = safe_json([*HOSTILE, "<!--", "]]>"])
    assert json.loads(text) == [*HOSTILE, "<!--", "]]>"]
    assert not any(sign in text for sign in "<>&\u2028\u2029\x00")
    assert json.loads(safe_json("\ud800")) == "?"


def test_the_policy_allows_only_what_the_page_uses(page: str) -> None:
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert found
    policy = dict(part.split(" ", 1) for part in html.unescape(found[1]).split("; "))
    # The default does not apply to these two.
    for name in ("default-src", "form-action", "base-uri"):
        assert policy[name] == "'none'"
    assert "connect-src" not in policy
    assert all("unsafe" not in allowed for allowed in policy.values())


def test_nothing_can_end_the_data_early(page: str) -> None:
    assert page.count("<script") == page.count("</script>")
    # The token is in the compressed data alone.
    assert HOSTILE[4] not in page
    assert "src=x" not in page


def test_includes_third_party_notices(page: str) -> None:
    """Licences must accompany each copy: they are readable in the file as text."""
    found = re.search(r'<script type="text/plain" id="third-party">(.*?)</script>', page, re.S)
    assert found
    rule = "-" * 80
    noticed = {part.split()[0]: part for part in found[1].split(rule)[1:]}
    # What is in it: the page's own code, the font that the style holds, and the plots.
    assert "font/woff2;base64" in page
    assert 'data-part="/vendor/plotly.min.js"' in page
    for name, words in {
        "svelte": "Permission is hereby granted, free of charge",
        "clsx": "Permission is hereby granted, free of charge",
        "plotly.js-basic-dist-min": "Permission is hereby granted, free of charge",
        "@fontsource-variable/inter": "PERMISSION & CONDITIONS",
    }.items():
        assert words in noticed[name], name
        assert "Copyright" in noticed[name]


def test_makes_no_network_requests(page: str) -> None:
    head = page[: page.index("<body>")]
    assert "http://" not in re.sub(r'xmlns="[^"]+"|data:[^"]+', "", head.split("<style>")[0])
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', head.split("<style>")[0]) == []


def test_a_hostile_name_stays_text(tmp_path: Path) -> None:
    packed = pack_run(record(tmp_path), no_progress)
    preview = Preview('"><script>alert(1)</script>', "</title><b>", "https://example.org/a.png")
    text = render_page(packed, preview)
    assert "<script>alert(1)" not in text
    assert "<b>" not in text[: text.index("<style")]
    assert 'content="https://example.org/a.png"' in text
