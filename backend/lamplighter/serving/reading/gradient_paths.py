"""A token's gradients through the steps."""

from __future__ import annotations

from starlette.responses import Response

from lamplighter.runfolder.reading.gradient_history import read_gradient_history
from lamplighter.runfolder.reading.step_figures import LAST_INDEXED_STEP
from lamplighter.serving.reading.path_answers import MANY_STEPS, Columns, PathRequest, downsample
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import streaming_cost
from lamplighter.web.http.step_range import resolve_step_range


def answer_gradient_history(path_request: PathRequest) -> Response:
    """Return a token's gradient norms in the steps that lit it.

    Raises:
        RefusedError: too many steps at once (422).
        LineageChangedError: a new attempt began while they were read.
    """
    run = path_request.reply.run
    with path_request.catalog.open_steps(run) as reader:
        steps = resolve_step_range(
            run, reader, max(1, path_request.first), path_request.last, path_request.attempt
        )
    if len(steps) > LAST_INDEXED_STEP:
        raise RefusedError(
            422,
            f"a token's gradient can be requested for at most {LAST_INDEXED_STEP:,} steps at once: "
            "ask for fewer with from and to",
        )
    path_request.tag("gradient", steps.lineage, immutable=steps.immutable)

    def read() -> Columns:
        with path_request.catalog.open_steps(run) as reader:
            history = read_gradient_history(reader, path_request.token_id, steps.first, steps.last)
            steps.require_current(reader)
        columns: Columns = dict(zip(history._fields, history, strict=True))
        return downsample(columns, [history.gradient], path_request.most)

    return path_request.send(streaming_cost(0, slow=len(steps) > MANY_STEPS), read)
