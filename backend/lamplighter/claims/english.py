"""The board's English text for the command line; the page has it in each of its languages."""

from __future__ import annotations

from string import Formatter

from lamplighter.claims.claim import ClaimState, Figure, Finding, Values
from lamplighter.claims.codes import TEXTS


class _Fields(Formatter):
    """The fields of the texts: `count`, `percent`, `.2` for two decimals, `2` for two significant digits, `+2` with a sign."""

    def format_field(self, value: float | str, format_spec: str) -> str:
        if isinstance(value, str):
            return value
        if format_spec == "percent":
            return percent(value)
        if format_spec == "count":
            return f"{value:,.0f}"
        if format_spec.startswith("."):
            return f"{value:z{format_spec}f}"
        sign = format_spec.rstrip("0123456789")
        return f"{value:{sign}.{format_spec.removeprefix(sign)}g}"


def _fill(text: str, values: Values) -> str:
    return _Fields().vformat(text, (), values)


def claim_text(number: int, part: str) -> str:
    return TEXTS["claims"][str(number)][part]


def figure_text(figure: Figure) -> str:
    return _fill(TEXTS["figures"][figure.code], figure.values)


def reason_text(finding: Finding) -> str:
    told = [_fill(TEXTS["sentences"][one.code], one.values) for one in finding.reason]
    if finding.state is ClaimState.UNMEASURED and finding.waits_for is not None:
        told.insert(0, f"Not measured yet: waiting for {TEXTS['waits'][finding.waits_for]}.")
    return " ".join(told)


def percent(share: float) -> str:
    """Return a share as a percentage: 7.3 %."""
    return f"{100 * share:.3g} %" if share < 0.995 or share == 1 else f"{100 * share:.4g} %"
