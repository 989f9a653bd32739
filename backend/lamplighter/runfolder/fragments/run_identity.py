"""The identity of a run that travels in fragments: names are given twice, on machines that do not know of each other.

The run's folder keeps a random key. Who reads the run elsewhere keeps its digest, the *identity*, from the opening on, and takes
steps only with the key, or from the folder itself.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lamplighter.platform.regular_file import open_regular
from lamplighter.runfolder.run_folder import RUN_ID_PATTERN, RunFolder, write_atomically

IDENTITY_FILE = "identity.json"
IDENTITY_HEADER, KEY_HEADER = "X-Lamplighter-Run-Identity", "X-Lamplighter-Run-Key"
"""The headers of the answers and of the requests of a push."""
IDENTITY_PATTERN = r"^[0-9a-f]{64}$"
KEY_PATTERN = r"^[0-9a-f]{32}$"
_MAX_BYTES = 64 << 10

_Name = Annotated[str, Field(pattern=f"^{RUN_ID_PATTERN}$")]


class RunIdentity(BaseModel):
    """What a run's folder keeps of it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    run: _Name
    """The id of the run: a copied folder of another name is another run."""
    key: Annotated[str, Field(pattern=KEY_PATTERN)]
    names: dict[str, _Name] = {}
    """Its name at each server where it has another than its id."""

    @property
    def identity(self) -> str:
        return _digest(self.key)


def keep_identity(run: RunFolder) -> RunIdentity | None:
    """Return the identity of a run, made if its folder has none; None if the folder cannot be written."""
    path = run.path / IDENTITY_FILE
    if (found := _read(run)) is not None:
        return found
    try:
        write_atomically(path, RunIdentity(run=run.id, key=secrets.token_hex(16)).model_dump_json())
    except OSError:
        return None
    # Not what was written: another process may have made one at the same moment.
    return _read(run)


def keep_name(run: RunFolder, identity: RunIdentity, server: str, name: str) -> RunIdentity:
    """Keep the name that a run has at a server. Return the identity with it. Raises OSError if it cannot be
    kept.
    """
    kept = identity.model_copy(update={"names": identity.names | {server: name}})
    write_atomically(run.path / IDENTITY_FILE, kept.model_dump_json())
    return kept


def name_at(run: RunFolder, server: str) -> str:
    found = _read(run)
    return run.id if found is None else found.names.get(server, run.id)


def opens(key: str | None, identity: str) -> bool:
    return key is not None and hmac.compare_digest(_digest(key), identity)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _read(run: RunFolder) -> RunIdentity | None:
    try:
        with open(run.path / IDENTITY_FILE, "rb", opener=open_regular) as file:
            found = RunIdentity.model_validate_json(file.read(_MAX_BYTES))
    except (OSError, ValueError):
        return None
    return found if found.run == run.id else None
