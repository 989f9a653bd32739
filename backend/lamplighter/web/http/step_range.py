"""Step ranges of a request: parsed, and checked against the lineage."""

from __future__ import annotations

from dataclasses import dataclass

from lamplighter.contract.sentences import say
from lamplighter.runfolder.lineage import Lineage, LineageChangedError, LineageReader
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.web.http.problems import FieldError, RefusedError

_NEW_ATTEMPT = "a new attempt began during this request"


@dataclass(frozen=True)
class StepRange:
    """The range of steps of a request, inclusive, without superseded steps. Empty if `first` > `last`."""

    first: int
    last: int
    lineage: Lineage
    """The stretches of the lineage in the range, clipped to it."""
    newest_step: int
    """The run's last step."""
    immutable: bool
    """True if the request named the attempt, so that the response never changes."""

    @property
    def attempt(self) -> int:
        """Return the attempt that the last step belongs to; 0 if there is none."""
        return self.lineage.newest_attempt

    def __len__(self) -> int:
        return max(0, self.last - self.first + 1)

    def require_current(self, reader: LineageReader) -> None:
        """Raise LineageChangedError if a new attempt took some of these steps since the range was read."""
        if reader.lineage().clip(self.first, self.last) != self.lineage:
            raise LineageChangedError(_NEW_ATTEMPT)

    def require_attempt(self, step: int, attempt: int) -> None:
        """Raise LineageChangedError unless a step of the range, read later, belongs to its expected attempt."""
        if not self.lineage or self.lineage.attempt_at(step) != attempt:
            raise LineageChangedError(_NEW_ATTEMPT)


def resolve_step_range(
    run: RunFolder, reader: StepsReader, first: int, last: int | None, attempt: int | None = None
) -> StepRange:
    """Return the existing steps from `first` to `last` (None: the newest).

    Raises RefusedError: the last step does not count in `attempt` (409), there is no such step or attempt
    (404), or `attempt` was given without a last step (422).
    """
    lineage = reader.lineage()
    newest = reader.newest_step()[1]
    if attempt is not None:
        if last is None:
            message = "attempt needs a last step: name it with to"
            raise RefusedError(422, message, [FieldError(field="to", message=message)])
        _require_attempt(run, lineage, newest, last, attempt)
    end = newest if last is None else min(last, newest)
    return StepRange(first, end, lineage.clip(first, end), newest, attempt is not None)


def _require_attempt(run: RunFolder, lineage: Lineage, newest: int, step: int, attempt: int) -> None:
    if attempt > lineage.newest_attempt:
        raise RefusedError(404, f"{run.id} has no attempt {attempt}: its newest is {lineage.newest_attempt}")
    if step > newest:
        raise RefusedError(404, say("step_not_recorded", step=step, last=newest))
    if (holds := lineage.attempt_at(step)) != attempt:
        raise RefusedError(409, f"step {step} counts in attempt {holds}, not in {attempt}: ask with "
                      f"attempt={holds}, or leave attempt out for what counts now")  # fmt: skip
