"""A trainer that reaches its memory limit ends with a message that says what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lamplighter.platform import worker_limits
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train
from tests.support.runs import small_recipe, small_text

resource = pytest.importorskip("resource")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to a limit on its memory")
def test_a_model_beyond_the_limit_fails_with_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_limits, "_GRAPHICS_DRIVERS", ())
    monkeypatch.setattr(worker_limits, "_SLACK_BYTES", 50_000_000)
    monkeypatch.setattr(worker_limits, "_HEADROOM", 0)
    # 300 MB of parameters.
    model = {"dim": 512, "layers": 24, "heads": 2, "context": 8}
    run = RunStore(tmp_path).create(small_recipe(model=model), small_text())
    before = resource.getrlimit(resource.RLIMIT_DATA)
    assert train(run) is Phase.FAILED
    status = read_status(run)
    assert status.phase is Phase.FAILED
    assert status.message.startswith("training needs more memory than it may have (")
    assert status.message.endswith(
        "GB): begin a run with a smaller model, a shorter context or smaller batches"
    )
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
