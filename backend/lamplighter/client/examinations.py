"""Questions about a run's model, asked from Python: in its folder, or to the server that shows it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lamplighter.client.errors import ExaminationError, InputError, LiveError, require_whole_application
from lamplighter.client.server_requests import make_opener, read_problem, run_address, warn_of_open_token
from lamplighter.contract.questions import Question, QuestionError, parse_question
from lamplighter.runfolder.run_folder import RunFolder

if TYPE_CHECKING:
    from lamplighter.processes.local_examiner import LocalExaminer

_POLL_SECONDS = 0.25
_TIMEOUT = 30.0
_MAX_BODY = 4_000_000

OnProgress = Callable[[float, str], object]
"""A callback that gets the share done, from 0 to 1, and a description of the current work."""

_examiners: dict[str, LocalExaminer] = {}
"""Examiners of this process by the path of their run. They are kept, since a second question often follows the
first."""


def examine_folder(
    run: RunFolder, kind: str, fields: dict[str, Any], *, confirmed: bool, on_progress: OnProgress | None
) -> dict[str, Any]:
    """Return the answer to a question about the model of a run in a folder. Raises as `Run.examine`."""
    # Nothing else here needs child processes or readers of a run's files.
    with require_whole_application("examine"):
        from lamplighter.model.training_demands import describe_demands
        from lamplighter.processes.asked_question import ExaminationRefusedError, check_question
        from lamplighter.processes.local_examiner import ExaminationFailedError, LocalExaminer
        from lamplighter.runfolder.importing.imported_run import is_imported

    try:
        asked = check_question(run, _parse(kind, fields))
    except (QuestionError, ExaminationRefusedError) as error:
        raise InputError(str(error)) from error
    if is_imported(run) and not confirmed:
        demands = describe_demands(run.recipe, len(run.vocabulary))
        raise InputError(
            f"{run.id} was imported. Asking its model takes {demands}: pass confirmed=True to do that"
        )
    examiner = _examiners.setdefault(str(run.path), LocalExaminer(run, "python"))
    try:
        return examiner.examine(
            asked, None if on_progress is None else lambda entry: on_progress(entry.share, entry.activity)
        )
    except ExaminationFailedError as error:
        raise ExaminationError(str(error)) from error


def examine(
    url: str,
    kind: str,
    *,
    step: int,
    token: str | None = None,
    confirmed: bool = False,
    on_progress: OnProgress | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Return the answer to a question about the model of a run that a server shows (`docs/rest.md`, "Asking the model").

    Args:
        url: the run's page (`http://host:port/?run=ID`) or its REST address (`http://host:port/api/runs/ID`).
        kind: the kind of question, such as `speak`.
        step: the step after which the model is asked.
        token: the presenter's token, because only presenters may ask. Over http to another machine anyone on the way
            can read it, and a `UserWarning` says so.
        confirmed: whether an imported run may use the resources in its recipe.
        on_progress: called with the share done and a description of the work.
        fields: the fields of the question, such as `prompt`.

    Raises:
        InputError: the address or the question is not valid.
        ExaminationError: the server refuses the question, or it cannot be answered.
        LiveError: no server answers.
    """
    question = _parse(kind, {"step": step} | fields)
    address = run_address(url)
    warn_of_open_token(token, address)
    base = f"{address}/examinations"
    body = question.model_dump(mode="json") | {"confirmed": confirmed}
    seen = _call("POST", base, token, body)
    path = f"{base}/{quote(str(seen['id']), safe='')}"
    try:
        while seen["state"] in ("waiting", "running"):
            if on_progress is not None:
                on_progress(seen["share"], seen["activity"])
            time.sleep(_POLL_SECONDS)
            seen = _call("GET", path, token)
    except BaseException as error:
        if not isinstance(error, LiveError):
            _call("DELETE", path, token)
        raise
    if seen["state"] != "done":
        raise ExaminationError(seen.get("problem") or "the question was cancelled")
    return _call("GET", path, token)["answer"]


def _parse(kind: str, fields: dict[str, Any]) -> Question:
    try:
        return parse_question({"kind": kind} | fields)
    except QuestionError as error:
        raise InputError(str(error)) from error


def _call(method: str, url: str, token: str | None, body: dict[str, Any] | None = None) -> Any:
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with make_opener(url).open(request, timeout=_TIMEOUT) as answer:
            text = answer.read(_MAX_BODY)
    except urllib.error.HTTPError as error:
        with error:
            reason = read_problem(error)[1] or f"refused with status {error.code}"
        raise ExaminationError(reason) from error
    except OSError as error:
        raise LiveError(f"{url}: no Lamplighter server answers: {error}") from error
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise LiveError(f"{url}: unexpected response: {error}") from error
