"""Pictures saved by the page, and measurements of them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

SIZE, DIM, STEPS = 60, 8, 12
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a&amp;b]]>",
    "\u202ereversed",
    "👩‍🚀🏙",
    "x" * 1_000,
    "bell\x07",
]
PIXELS = """async (address) => {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  let bright = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i] + data[i + 1] + data[i + 2] > 600) bright++;
  return { width: canvas.width, height: canvas.height, bright };
}"""


def saved(page: Page, action: Any, folder: Path) -> Path:
    with page.expect_download() as downloading:
        action()
    path = folder / downloading.value.suggested_filename
    downloading.value.save_as(path)
    return path


def measure_image(viewer: BrowserContext, path: Path, kind: str) -> dict[str, int]:
    """Return the width, height and bright pixels of an image, decoded in another page."""
    page = viewer.new_page()
    data = base64.b64encode(path.read_bytes()).decode()
    found = page.evaluate(PIXELS, f"data:{kind};base64,{data}")
    page.close()
    return found
