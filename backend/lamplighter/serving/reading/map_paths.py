"""A token's positions on the map over the steps."""

from __future__ import annotations

import numpy as np
from starlette.responses import Response

from lamplighter.serving.reading.layout_query import MethodName, layout_ids, open_layouts
from lamplighter.serving.reading.path_answers import Columns, PathRequest, downsample
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import LARGE_RESPONSE_BYTES, streaming_cost
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout


def answer_map_history(path_request: PathRequest, method: MethodName) -> Response:
    """Return a token's coordinates in the layouts of a view.

    Raises:
        RefusedError: an attempt was named, or too many layouts requested (422), or there is none (404).
    """
    run = path_request.reply.run
    if path_request.attempt is not None:
        raise RefusedError(422, "old steps may still get layouts: ask for positions without attempt")
    with open_layouts(path_request.catalog, run) as opened:
        entries = opened.select_every(path_request.first, path_request.last, method)
    path_request.tag("places", layout_ids(entries), immutable=False)

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

    # Each layout is read in full.
    slow = 4 * len(entries) * len(run.vocabulary) >= LARGE_RESPONSE_BYTES
    return path_request.send(streaming_cost(0, slow=slow), read, method=method)
