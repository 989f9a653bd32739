"""`make gpu` where there is no card, and the recipes it would run where there is one."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu import cards
from lamplighter.model.learner import build_learner


def test_without_a_card_it_says_so_and_succeeds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(gpu, "find_card", lambda: None)
    assert gpu.main([]) == 0
    assert capsys.readouterr().out == "no GPU: not run\n"


def test_a_check_that_breaks_stops_no_other_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def breaks(device: torch.device) -> bool:
        raise RuntimeError(f"{device} is out of memory")

    ran: list[str] = []
    monkeypatch.setattr(gpu, "CHECKS", {"one": breaks, "two": lambda device: not ran.append(device.type)})
    assert gpu.main(["--device", "cpu"]) == 1
    assert ran == ["cpu"]
    assert json.loads(capsys.readouterr().out) == {"bench": "gpu_one", "error": "cpu is out of memory"}


@pytest.mark.parametrize("kind", ["cuda", "mps", "cpu"])
def test_every_device_has_recipes_that_it_can_run(kind: str):
    for recipe in cards.recipes(torch.device(kind)).values():
        assert recipe.device == kind
        assert kind != "mps" or recipe.optimiser.kind == "adam"
        build_learner(recipe, 50, torch.device("meta"))
