"""The network and the firewall of Windows, as PowerShell tells them in JSON, in every language alike."""

from __future__ import annotations

import ipaddress
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from lamplighter.doctor.network_probe import FirewallFacts, FirewallState
from lamplighter.doctor.system_command import say_command
from lamplighter.platform.interface_addresses import Address

_NAME = "Windows Defender Firewall"
_SECONDS = 9.0
_ADDRESSES = """
$ErrorActionPreference = 'SilentlyContinue'
$about = @{}; Get-NetAdapter -IncludeHidden | ForEach-Object { $about[$_.Name] = $_.InterfaceDescription }
ConvertTo-Json -Compress @(Get-NetIPAddress | ForEach-Object {
  @{ address = $_.IPAddress; name = $_.InterfaceAlias; about = $about[$_.InterfaceAlias] } })
"""
_FIREWALL = """
$ErrorActionPreference = 'SilentlyContinue'
@{
  networks = @(Get-NetConnectionProfile | ForEach-Object { [int]$_.NetworkCategory })
  profiles = @(Get-NetFirewallProfile -PolicyStore ActiveStore | ForEach-Object {
    @{ name = $_.Name; on = [int]$_.Enabled; otherwise = [int]$_.DefaultInboundAction } })
  rules = @(Get-NetFirewallApplicationFilter -Program $env:LAMPLIGHTER_PROGRAM | Get-NetFirewallRule |
    Where-Object { [int]$_.Enabled -eq 1 -and [int]$_.Direction -eq 1 } |
    ForEach-Object { @{ action = [int]$_.Action; profiles = [int]$_.Profile } })
} | ConvertTo-Json -Depth 4 -Compress
"""
_CATEGORIES = ("Public", "Private", "Domain")
"""Kinds of network, by PowerShell's number: what a person answers when Windows asks."""
_PROFILE_BITS = {"Domain": 1, "Private": 2, "Public": 4}
_ON, _ALLOW, _BLOCK = 1, 2, 4
_WORST_FIRST: tuple[FirewallState, ...] = ("closed", "on", "unknown", "open", "off")


def read_windows_interfaces() -> dict[Address, tuple[str, str]]:
    """Return name and description of the network adapter that has each address; none if PowerShell does not tell."""
    return parse_windows_interfaces(_ask(_ADDRESSES))


def read_windows_firewall() -> FirewallFacts:
    """Return the state of the firewall for this program, in the networks that this machine is in."""
    # In a virtual environment the program that listens is the one that the environment was made from.
    program = Path(sys.base_prefix, "python.exe")
    return parse_windows_firewall(_ask(_FIREWALL, str(program if program.exists() else sys.executable)))


def parse_windows_interfaces(text: str) -> dict[Address, tuple[str, str]]:
    """Return what the answer about addresses says."""
    found: dict[Address, tuple[str, str]] = {}
    with suppress(ValueError):
        listed: Any = json.loads(text)
        for one in listed if isinstance(listed, list) else [listed]:
            with suppress(ValueError, KeyError, TypeError):
                address = ipaddress.ip_address(str(one["address"]).partition("%")[0])
                found[address] = (str(one.get("name") or ""), str(one.get("about") or ""))
    return found


def parse_windows_firewall(text: str) -> FirewallFacts:
    """Return what the answer about the firewall says."""
    try:
        said: dict[str, Any] = json.loads(text)
        profiles = {str(one["name"]): (int(one["on"]), int(one["otherwise"])) for one in said["profiles"]}
        networks = {_CATEGORIES[int(number)] for number in said["networks"]}
        rules = [(int(rule["action"]), int(rule["profiles"])) for rule in said["rules"]]
    except (ValueError, KeyError, TypeError, IndexError):
        return FirewallFacts("unknown", _NAME)
    states = {_judge(network, profiles, rules) for network in networks}
    name = f"{_NAME} (network: {' and '.join(sorted(networks))})" if networks else _NAME
    for state in _WORST_FIRST:
        if state in states:
            return FirewallFacts(state, name)
    return FirewallFacts("unknown", name)


def _judge(network: str, profiles: dict[str, tuple[int, int]], rules: list[tuple[int, int]]) -> FirewallState:
    """Return the state of the firewall in a kind of network."""
    if network not in profiles:
        return "unknown"
    on, otherwise = profiles[network]
    # Profile 0 of a rule means every one.
    actions = {action for action, where in rules if not where or where & _PROFILE_BITS[network]}
    if on != _ON:
        return "off"
    if _BLOCK in actions:
        return "closed"
    return "open" if _ALLOW in actions or otherwise == _ALLOW else "on"


def _ask(script: str, program: str = "") -> str:
    words = ("powershell", "-NoProfile", "-NonInteractive", "-Command", script)
    return say_command(*words, seconds=_SECONDS, variables={"LAMPLIGHTER_PROGRAM": program})
