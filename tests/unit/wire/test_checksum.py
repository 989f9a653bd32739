"""The checksum of a record: it detects any changed byte; older records have none."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.wire.binary import FrameError
from lamplighter.wire.frames import decode, encode

GOLDEN = Path(__file__).parents[2] / "golden"
CHECKSUM_AT = {"pulse-listed": 68, "rows": 36, "rows-all": 36, "census": 28}


@pytest.mark.parametrize("name", CHECKSUM_AT)
def test_detects_any_changed_byte(name: str) -> None:
    data = (GOLDEN / f"{name}.bin").read_bytes()
    assert encode(decode(data)) == data
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(FrameError):
            decode(bytes(changed))


@pytest.mark.parametrize("name", CHECKSUM_AT)
def test_reads_records_without_a_checksum(name: str) -> None:
    data = bytearray((GOLDEN / f"{name}.bin").read_bytes())
    at = CHECKSUM_AT[name]
    data[at : at + 4] = bytes(4)
    assert encode(decode(bytes(data))) == (GOLDEN / f"{name}.bin").read_bytes()
