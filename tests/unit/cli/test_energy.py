"""The energy of a training on the command line."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from lamplighter.cli.energy import describe_energy, watts_option
from lamplighter.platform.energy.energy_method import EnergyMethod, SpentEnergy
from lamplighter.platform.energy.processor_estimate import stated_watts
from lamplighter.runfolder.tables.energy import METHOD_FACT, UsedMethod, encode_energy
from lamplighter.runfolder.tables.steps import StepsWriter
from tests.support.folders import finished_run


def test_watts_go_to_the_trainers_and_wrong_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHTER_WATTS", "")

    @click.command()
    @watts_option
    def command() -> None:
        click.echo(f"{stated_watts():g}")

    assert CliRunner().invoke(command, ["--watts", "25"]).output == "25\n"
    monkeypatch.setenv("LAMPLIGHTER_WATTS", "")
    assert CliRunner().invoke(command, []).output == "12\n"
    refused = CliRunner().invoke(command, ["--watts", "-1"])
    assert refused.exit_code == 2
    assert "above 0 and at most 1,000" in refused.output


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (EnergyMethod("processor", 12.0), "estimated: 12 W for a busy core"),
        (EnergyMethod("rapl"), "counters of the processors"),
        (EnergyMethod("nvml"), "counter of the graphics card"),
    ],
)
def test_joules_come_with_their_method(tmp_path: Path, method: EnergyMethod, words: str) -> None:
    run = finished_run(tmp_path)
    assert describe_energy(run) is None
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({METHOD_FACT: UsedMethod(method, 0).as_fact()})
        writer.set_energy(35, encode_energy(SpentEnergy(1_234.4, 5.0, 6.0)))
    found = describe_energy(run)
    assert found is not None
    assert found.startswith("it took 1,234 J, ")
    assert words in found


def test_joules_by_several_methods_come_with_the_least_exact(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    estimate, counter = EnergyMethod("processor", 12.0), EnergyMethod("rapl")
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({METHOD_FACT: UsedMethod(estimate, 0).add_method(counter).as_fact()})
        writer.set_energy(35, encode_energy(SpentEnergy(1_234.4, 5.0, 6.0)))
    found = describe_energy(run)
    assert found is not None
    assert found.endswith("estimated: 12 W for a busy core (--watts); in part by another method")
