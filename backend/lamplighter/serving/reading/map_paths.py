"""A token's positions on the map over the steps."""

from __future__ import annotations

import numpy as np
from starlette.responses import Response

from lamplighter.serving.http.caching import cache_headers, entity_tag, not_modified
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.http.streaming import LARGE_RESPONSE_BYTES
from lamplighter.serving.reading.layout_query import MOST_LAYOUTS, MethodName, open_layouts, select_layouts
from lamplighter.serving.reading.path_answers import Columns, PathRequest, downsample
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout


def answer_map_history(path_request: PathRequest, method: MethodName) -> Response:
    """Return a token's coordinates in the layouts of a view.

    Raises:
        RefusedError: an attempt was named, or too many layouts asked for (422), or there is none (404).
    """
    run = path_request.run
    if path_request.attempt is not None:
        raise RefusedError(422, "more layouts may be made of old steps: ask for places without attempt")
    with open_layouts(path_request.catalog, run) as opened:
        entries = select_layouts(opened, path_request.first, path_request.last, method)
    if not entries:
        raise RefusedError(
            404, f"there is no {method} layout of these steps yet: GET .../layouts lists what there is"
        )
    if len(entries) > MOST_LAYOUTS:
        raise RefusedError(
            422,
            f"{len(entries):,} layouts are too many, at most {MOST_LAYOUTS:,} are read at once: ask for fewer "
            "with from and to",
        )
    layout_ids = [(entry.id, entry.attempt, entry.step) for entry in entries]
    tag = entity_tag(
        run, "path", path_request.token_id, "places", layout_ids, path_request.most, path_request.form.name
    )
    headers = cache_headers(tag, immutable=False)
    if done := not_modified(path_request.request, headers):
        return done

    def read() -> Columns:
        coordinates = np.empty((len(entries), 2), dtype=np.float32)
        with open_layouts(path_request.catalog, run) as opened:
            for index, entry in enumerate(entries):
                layout = decode_as(opened.read_frame(entry), Layout)
                coordinates[index] = layout.coordinates[path_request.token_id]
        columns: Columns = {
            "steps": np.array([entry.step for entry in entries], dtype=np.int64),
            "x": coordinates[:, 0],
            "y": coordinates[:, 1],
        }
        return downsample(columns, [coordinates[:, 0], coordinates[:, 1]], path_request.most)

    memory_bytes = (
        LARGE_RESPONSE_BYTES if 4 * len(entries) * len(run.vocabulary) >= LARGE_RESPONSE_BYTES else 0
    )
    return path_request.respond(read, {"method": method}, memory_bytes, headers)
