"""Questions about a run's model from Python: in its folder, and through a server."""

from __future__ import annotations

from pathlib import Path

import pytest

import lamplighter
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.training.worker import train
from tests.support.application import Application
from tests.support.runs import make_run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = make_run(tmp_path_factory.mktemp("runs"), steps=30, cadence={"checkpoint_every": 10})
    train(run)
    return run


def test_the_model_of_a_folder_speaks_and_the_next_question_is_soon_answered(trained: RunFolder):
    run = lamplighter.open(trained.path)
    word = run.tokens[5]
    told: list[tuple[float, str]] = []
    first = run.examine("speak", step=8, prompt=word, words=3, on_progress=lambda *said: told.append(said))
    assert first["replayed"] == {"from": 5, "steps": 3, "equal": True, "difference": 0.0}
    assert len(told) > 1
    assert run.examine("speak", prompt=word, words=3)["step"] == 30
    assert run.examine("speak", step=8, prompt=word, words=3) == first
    for fields, said in (
        ({"step": 99}, "has not been reached"),
        ({"prompt": "zzyzx"}, "zzyzx"),
        ({"x": 1}, "x"),
    ):
        with pytest.raises(lamplighter.InputError, match=said):
            run.examine("speak", **({"prompt": word} | fields))


@pytest.mark.tour
def test_a_server_is_asked_by_its_address(trained: RunFolder, tmp_path: Path):
    with Application(trained.path.parent, "serve") as server:
        url = f"{server.url}/?run={trained.id}"
        word = lamplighter.open(trained.path).tokens[5]
        answer = lamplighter.examine(url, "speak", step=12, prompt=word, words=2, token=server.token)
        assert (answer["step"], len(answer["sampled"])) == (12, 2)
        with pytest.raises(lamplighter.ExaminationError, match="has not been reached"):
            lamplighter.examine(url, "speak", step=99, prompt=word, token=server.token)
        with pytest.raises(lamplighter.ExaminationError):
            lamplighter.examine(url, "speak", step=1, prompt=word)
    with pytest.raises(lamplighter.LiveError):
        lamplighter.examine(url, "speak", step=1, prompt=word, token="x")
