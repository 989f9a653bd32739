"""The kept states of a run's model, from which its other steps are recomputed. This module must not import torch."""

from __future__ import annotations

from lamplighter.model.checkpoint_files import CheckpointFile, list_checkpoints
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.run_folder import RunFolder


def list_kept_states(run: RunFolder, lineage: Lineage, step: int) -> list[CheckpointFile]:
    """Return the waypoints and checkpoints up to a step that count in a lineage, newest first."""
    found = [file for folder in (run.waypoints, run.checkpoints) for file in list_checkpoints(folder)]
    usable = [file for file in found if file.step <= step and _counts(file, lineage)]
    return sorted(usable, key=lambda file: (file.step, file.attempt), reverse=True)


def _counts(file: CheckpointFile, lineage: Lineage) -> bool:
    # An attempt may start with a checkpoint of the step before its first.
    return any(lineage.counts(file.attempt, step) for step in (file.step, file.step + 1))
