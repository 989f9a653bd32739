"""The supervisor of a server's workers."""

from __future__ import annotations

from dataclasses import replace

from lamplighter.processes.supervisor import Supervisor, SupervisorLimits
from lamplighter.runfolder.run_store import RunStore
from lamplighter.web.settings import ServerSettings


def make_supervisor(settings: ServerSettings) -> Supervisor | None:
    """Make the supervisor of a server's workers; None if other processes run them.

    Raises:
        OSError: the runs folder cannot be used.
    """
    if not settings.roles:
        return None
    limits = replace(SupervisorLimits(), max_trainers=settings.max_trainers)
    return Supervisor(RunStore(settings.runs), settings.roles, limits)
