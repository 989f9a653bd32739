"""The reading of a run's record. Each result is from one state of the run, even if a new attempt begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from lamplighter.client.errors import InputError, NotBegunError
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.lineage import LAST_STEP, Lineage
from lamplighter.runfolder.reading.current_map import layouts_on_lineage, newest_layout_entry
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.playback import CHANNELS, NoSuchStepError, Playback
from lamplighter.runfolder.reading.run_status import describe_damage
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.scalars import decode_scalars
from lamplighter.runfolder.tables.steps import TimelineEvent
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.binary import FrameError
from lamplighter.wire.frames import Frame, decode, decode_as
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse

_BATCH = 64
"""Steps read at once, which bounds memory and lets the trainer's WAL be checkpointed in between."""

T = TypeVar("T")


def check_channels(channels: Iterable[str]) -> list[str]:
    """Return the names of channels. Raises InputError if there is none, or one is unknown."""
    wanted = [channels] if isinstance(channels, str) else list(channels)
    if not wanted or any(name not in CHANNELS for name in wanted):
        raise InputError(
            f"channels: any of {', '.join(CHANNELS)}, not {', '.join(map(repr, wanted)) or 'none'}"
        )
    return wanted


class RecordReading:
    """A reader of one run's record, which keeps no file open between calls."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run

    def read_consistently(self, read: Callable[[MatrixHistory], T]) -> T:
        """Return the result of `read` on the history; call it again if a new attempt began during the call.

        Raises NotBegunError, or FormatError if the record is damaged.
        """
        try:
            history = MatrixHistory(self._run)
        except FileNotFoundError:
            raise self._not_begun() from None
        with history:
            try:
                return Lineage.stable(history.steps, lambda _: read(history))
            except (FormatError, FrameError) as error:
                raise describe_damage(self._run, error) from error

    def newest_step(self) -> int:
        return self.read_consistently(lambda h: h.steps.newest_step()[1])

    def read_pulses(self, first: int, last: int | None) -> Iterator[Pulse]:
        """Yield the pulse of each step from `first` to `last`, inclusive (None: up to the newest), a few at a time."""
        next_step, end = first, self.newest_step() if last is None else last
        while next_step <= end:
            start = next_step
            batch = self.read_consistently(lambda h, start=start: h.steps.pulses(start, end, limit=_BATCH))
            for step, data in batch:
                next_step = step + 1
                yield self._decode_pulse(data)
            if len(batch) < _BATCH:
                return

    def _decode_pulse(self, data: bytes) -> Pulse:
        try:
            return decode_as(data, Pulse)
        except FrameError as error:
            raise describe_damage(self._run, error) from error

    def play_frames(self, first: int, last: int, channels: Sequence[str]) -> Iterator[Frame]:
        """Yield the frames that a viewer would have received from step `first` to `last`, a few steps at a time.

        Raises InputError if there is no such step, and NotBegunError.
        """
        playback = Playback(self._run, first, last, channels)
        while not playback.done:
            before = playback.place
            try:
                played = playback.read_next(_BATCH)
            except NoSuchStepError as error:
                raise InputError(str(error)) from error
            except FileNotFoundError:
                raise self._not_begun() from None
            except (FormatError, FrameError) as error:
                raise describe_damage(self._run, error) from error
            if not played and playback.place == before:
                return
            for data in played:
                try:
                    frame = decode(data)
                except FrameError as error:
                    raise describe_damage(self._run, error) from error
                yield frame

    def newest_layout(self, method: Method, step: int | None) -> Layout | None:
        """Return the newest layout of a method at or before a step (None: of all); None if there is none yet."""
        lineage = self.read_consistently(lambda h: h.steps.lineage())
        try:
            with LayoutsReader(self._run.layouts_path) as reader:
                best = newest_layout_entry(layouts_on_lineage(reader, lineage), method, step)
                return None if best is None else decode_as(reader.layout_record(best.id), Layout)
        except FileNotFoundError:
            return None

    def read_logged(self) -> dict[int, dict[str, float]]:
        texts = self.read_consistently(lambda h: h.steps.scalars(0, LAST_STEP))
        return {step: decode_scalars(text) for step, text in texts.items()}

    def read_measures(self) -> dict[int, dict[str, float]]:
        try:
            with (
                MeasuresReader(self._run.measures_path) as reader,
                StepsReader(self._run.steps_path) as steps,
            ):
                return reader.by_step(lineage=steps.lineage())
        except FileNotFoundError:
            return {}

    def read_events(self) -> list[TimelineEvent]:
        def every(history: MatrixHistory) -> list[TimelineEvent]:
            found: list[TimelineEvent] = []
            while batch := history.steps.events(found[-1].id if found else 0):
                found += batch
            return found

        return self.read_consistently(every)

    def _not_begun(self) -> NotBegunError:
        return NotBegunError(f"{self._run.id} has not begun: nothing is recorded yet")
