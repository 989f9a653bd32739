"""The feeds of a run beside its steps: its status with the applied requests, its lines, its map and its measures.

The run follower reads each when its file has changed; the feed finds what is new in the current lineage. The status
comes from the facts in the steps, and from outside the files: whether a trainer is alive, whether it waits for disk
space, and the size on disk. Those are checked every second. A viewer fetches earlier lines by REST.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.current_map import (
    districts_on_lineage,
    layouts_on_lineage,
    read_smoothed_step,
)
from lamplighter.runfolder.role_lock import RoleState, is_waiting_for_space, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.facts import FactsReader
from lamplighter.runfolder.tables.layouts import DistrictsEntry, LayoutEntry, LayoutsReader
from lamplighter.runfolder.tables.lines import decode_lines
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.requests import AppliedRequest
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import (
    AcknowledgedMessage,
    LinesMessage,
    MeasuresMessage,
    StatusMessage,
)
from lamplighter.serving.schemas.runs import Status
from lamplighter.wire.layout_frames import Method

log = logging.getLogger(__name__)


class MessageKind(Enum):
    """The kinds of messages of a run follower."""

    PULSE = "pulse"
    CENSUS = "census"
    """A new start, which includes or supersedes all pulses before."""
    LINEAR = "linear"
    UMAP = "umap"
    DISTRICTS = "districts"
    STATUS = "status"
    MEASURES = "measures"
    LINES = "lines"
    """Contains words of the run's text, as the next kind does."""
    EXAMINATION = "examination"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True)
class ViewerMessage:
    """A message for viewers."""

    kind: MessageKind
    data: bytes | str
    attempt: int = 0
    """The attempt of a frame."""


_BATCH = 32
"""Steps whose lines are sent at once: more than the trainer can add between two polls."""
_NEW_RUN = 1_000
"""A run with fewer steps at its first read counts as new, and viewers who waited get all its lines."""


class LinesFeed:
    """The lines feed of one run. For the run follower's thread only."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._step: int | None = None
        """The newest step whose lines were sent or skipped; None before the first read."""

    def go_back(self, step: int) -> None:
        if self._step is not None:
            self._step = min(self._step, step)

    def read_lines(self, reader: StepsReader, lineage: Lineage, newest: int) -> Iterator[ViewerMessage]:
        """Yield the new messages of the steps up to `newest`, advancing the cursor past each."""
        if newest < 0 or reader.lineage() != lineage:
            # Nothing was sent, or a new attempt has just begun: the next poll starts with it.
            return
        if self._step is None:
            self._step = -1 if newest < _NEW_RUN else newest
        for step, text in reader.lines(self._step + 1, newest, _BATCH).items():
            self._step = step
            try:
                lines = decode_lines(text, len(self._run.vocabulary))
            except FormatError as error:
                # A run whose steps can be read is shown even without its lines.
                log.warning("%s is shown without the lines of step %d: %s", self._run.id, step, error)
                continue
            message = LinesMessage(step=step, attempt=lineage.attempt_at(step), lines=lines)
            yield ViewerMessage(MessageKind.LINES, to_json_text(message))


MAX_ACKNOWLEDGED = 20
"""Acknowledgements of earlier requests that a new viewer gets: it may have asked before it lost its connection."""
STATUS_POLL_SECONDS = 1.0
"""Seconds between checks outside the files: whether a trainer is alive, and the size on disk."""


class StatusFeed:
    """The status feed of one run. For the run follower's thread only."""

    def __init__(self, run: RunFolder, catalog: RunCatalog) -> None:
        self._run = run
        self._catalog = catalog
        self._status: Status | None = None
        self._facts: object = None
        self._applied_by_trainer: int | None = None
        self._applied_by_projector: int | None = None
        self._check_at = 0.0

    @property
    def run_ended(self) -> bool:
        return self._status is not None and self._status.phase.has_ended

    def start_check(self) -> bool:
        """Return whether a check outside the files is due; if so, schedule the next one."""
        now = time.monotonic()
        if now < self._check_at:
            return False
        self._check_at = now + STATUS_POLL_SECONDS
        return True

    def read_steps(self, reader: StepsReader, messages: list[ViewerMessage]) -> None:
        """Append the requests that the trainer applied, and the status if a fact has changed."""
        self._applied_by_trainer = _acknowledge(reader, self._applied_by_trainer, messages)
        facts = reader.facts()
        if facts != self._facts:
            self.read_status(reader, messages)
            self._facts = facts

    def read_layouts(self, reader: LayoutsReader, messages: list[ViewerMessage]) -> None:
        self._applied_by_projector = _acknowledge(reader, self._applied_by_projector, messages)

    def read_status(self, reader: StepsReader | None, messages: list[ViewerMessage]) -> None:
        """Append the status if it has changed; without a reader, with the last known facts."""
        if reader is not None or self._status is None:
            status = self._catalog.status(self._run, reader)
        else:
            alive = role_state(self._run.path, "trainer") is not RoleState.FREE
            crowded = alive and is_waiting_for_space(self._run.path)
            current = {
                "alive": alive,
                "crowded": crowded,
                "bytes": self._run.bytes_on_disk(),
                "smoothed": read_smoothed_step(self._run),
            }
            status = self._status.model_copy(update=current)
        if status != self._status:
            self._status = status
            messages.append(ViewerMessage(MessageKind.STATUS, to_json_text(StatusMessage(status=status))))


def _acknowledge(reader: FactsReader, after: int | None, messages: list[ViewerMessage]) -> int:
    """Append the requests that were applied after an id; None: the newest few. Return the newest id."""
    found = reader.applied(after=after or 0)
    messages += map(_acknowledged_message, found[-MAX_ACKNOWLEDGED:] if after is None else found)
    return found[-1].id if found else after or 0


def _acknowledged_message(applied: AppliedRequest) -> ViewerMessage:
    request = f"{applied.server}:{applied.request}"
    return ViewerMessage(
        MessageKind.ACKNOWLEDGED,
        to_json_text(AcknowledgedMessage(request=request, kind=applied.kind, step=applied.step)),
    )


class MapFeed:
    """The map feed of one run. For the run follower's thread only."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset the cursors, so that all current layouts and districts are sent again."""
        self._layout_id = self._districts_id = 0
        self._newest: dict[Method, LayoutEntry] = {}
        self._districts: DistrictsEntry | None = None

    def read_new(self, reader: LayoutsReader, lineage: Lineage) -> Iterator[ViewerMessage]:
        """Yield the new messages, advancing the cursor past each."""
        seen, fresh = self._layout_id, dict(self._newest)
        for entry in layouts_on_lineage(reader, lineage, self._layout_id):
            seen = max(seen, entry.id)
            known = fresh.get(entry.method.view)
            if known is None or (entry.step, entry.id) > (known.step, known.id):
                fresh[entry.method.view] = entry
        for method, entry in fresh.items():
            if entry != self._newest.get(method):
                message = _layout_message(reader, entry)
                self._newest[method] = entry
                yield message
        self._layout_id = seen
        newest, seen = self._districts, self._districts_id
        for found in districts_on_lineage(reader, lineage, seen):
            seen = max(seen, found.id)
            if newest is None or (found.step, found.id) > (newest.step, newest.id):
                newest = found
        if newest is not None and newest != self._districts:
            message = _districts_message(reader, newest)
            self._districts = newest
            yield message
        self._districts_id = seen


def _layout_message(reader: LayoutsReader, entry: LayoutEntry) -> ViewerMessage:
    kind = MessageKind.UMAP if entry.method.view is Method.UMAP else MessageKind.LINEAR
    return ViewerMessage(kind, reader.layout_record(entry.id), entry.attempt)


def _districts_message(reader: LayoutsReader, entry: DistrictsEntry) -> ViewerMessage:
    return ViewerMessage(MessageKind.DISTRICTS, reader.districts_record(entry.id), entry.attempt)


class MeasuresFeed:
    """The measures feed of one run. For the run follower's thread only."""

    def __init__(self) -> None:
        self._step = -1

    def go_back(self, step: int) -> None:
        self._step = min(self._step, step)

    def read_measures(self, reader: MeasuresReader, lineage: Lineage) -> Iterator[ViewerMessage]:
        """Yield the new messages, advancing the cursor past each."""
        if self._step < 0:
            # Measures from before the first read are fetched by REST.
            self._step = max(0, reader.last_step(lineage))
            return
        for step, values in reader.by_step(self._step + 1, lineage=lineage).items():
            self._step = step
            yield _measures_message(step, values)


def _measures_message(step: int, values: dict[str, float]) -> ViewerMessage:
    return ViewerMessage(MessageKind.MEASURES, to_json_text(MeasuresMessage(step=step, values=dict(values))))
