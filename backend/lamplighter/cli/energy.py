"""The energy of a training on the command line: the assumed watts of a busy core, and the energy used."""

from __future__ import annotations

import os
from typing import Any

import click

from lamplighter.platform.energy.energy_method import (
    DEFAULT_WATTS,
    WATTS_VARIABLE,
    EnergyMethod,
    WattsError,
    parse_watts,
)
from lamplighter.runfolder.reading.spent_energy import read_run_energy
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader


def describe_energy(run: RunFolder) -> str | None:
    """Return the energy used by a training and the method, in words; None if it was not measured."""
    with StepsReader(run.steps_path) as reader:
        energy = read_run_energy(reader)
    if energy is None:
        return None
    mixed = "; in part by another method" if energy.used.mixed else ""
    return f"it took {energy.spent.joules:,.0f} J, {_describe_method(energy.used.method)}{mixed}"


def _describe_method(method: EnergyMethod) -> str:
    match method.name:
        case "nvml":
            return "by the counter of the graphics card, without the processor"
        case "rapl":
            return "by the counters of the processors, including the work of other programs"
        case "processor":
            return f"estimated: {method.watts:g} W for a busy core (--watts)"


def watts_option(command: Any) -> Any:
    """Add `--watts` to a command. Trainers read it from the environment."""
    return click.option(
        "--watts",
        envvar=WATTS_VARIABLE,
        expose_value=False,
        callback=_state_watts,
        metavar="WATTS",
        help="Watts of a busy processor core, to estimate the energy of training on a machine without a readable"
        f" energy counter.  [default: {DEFAULT_WATTS:g}]",
    )(command)


def _state_watts(_context: click.Context, _option: click.Parameter, text: str | None) -> None:
    if not text:
        return
    try:
        os.environ[WATTS_VARIABLE] = f"{parse_watts(text):g}"
    except WattsError as error:
        raise click.BadParameter(str(error)) from error
