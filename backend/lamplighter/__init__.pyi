# The names that `__init__.py` imports lazily, for type checkers; importing them there would load them all at once.

from lamplighter.client.checkpoint_run import series, still
from lamplighter.client.errors import (
    ExaminationError,
    InputError,
    LiveError,
    NoLayoutError,
    NoSuchTokenError,
    NotBegunError,
    RecordWarning,
)
from lamplighter.client.examinations import examine
from lamplighter.client.integrations.lightning import LightningCallback
from lamplighter.client.integrations.transformers import TransformersCallback
from lamplighter.client.live_run import follow
from lamplighter.client.opened_set import RunSet, open_set
from lamplighter.client.probing.probe_set import Probes
from lamplighter.client.record import record
from lamplighter.client.recorder import Recorder
from lamplighter.client.run import Run
from lamplighter.client.run import open_run as open
from lamplighter.client.watching.watch import watch
from lamplighter.processes.child_job import ReprojectionFailedError
from lamplighter.runfolder.errors import FormatError, NoOutputMatrixError, NoSnapshotError

__version__: str
__all__ = [
    "ExaminationError",
    "FormatError",
    "InputError",
    "LightningCallback",
    "LiveError",
    "NoLayoutError",
    "NoOutputMatrixError",
    "NoSnapshotError",
    "NoSuchTokenError",
    "NotBegunError",
    "Probes",
    "RecordWarning",
    "Recorder",
    "ReprojectionFailedError",
    "Run",
    "RunSet",
    "TransformersCallback",
    "examine",
    "follow",
    "open",
    "open_set",
    "record",
    "series",
    "still",
    "watch",
]
