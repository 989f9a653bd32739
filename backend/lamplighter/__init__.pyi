# The names that `__init__.py` imports lazily, for type checkers; importing them there would load them all at once.

from lamplighter.client.faults import (
    InputError,
    LiveError,
    NoLayoutError,
    NoSuchTokenError,
    NotBegunError,
)
from lamplighter.client.followed import follow
from lamplighter.client.opened import Run
from lamplighter.client.opened import open_run as open
from lamplighter.client.recorded import Recorder, record
from lamplighter.client.still import still
from lamplighter.runfolder.database import FormatError
from lamplighter.runfolder.snapshots import NoSnapshotError

__version__: str
__all__ = [
    "FormatError",
    "InputError",
    "LiveError",
    "NoLayoutError",
    "NoSnapshotError",
    "NoSuchTokenError",
    "NotBegunError",
    "Recorder",
    "Run",
    "follow",
    "open",
    "record",
    "still",
]
