"""The digests of a zip's files, in the form that `sha256sum --check` reads.

They detect damage, and changed files without a new list. The maker of a zip also makes its list, so they are no proof
of origin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lamplighter.exports.output import ExportError

DIGESTS = "SHA256SUMS"
"""The name of the list in a run's folder."""
_LINE = re.compile(r"([0-9a-f]{64}) [ *]([A-Za-z0-9./-]{1,100})")


def format_digests(digests: Mapping[str, str]) -> str:
    """Return the list of digests in hexadecimal, by file name."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def parse_digests(data: bytes) -> dict[str, str]:
    """Return the digests of a list, by file name, or raise ExportError."""
    digests: dict[str, str] = {}
    for number, line in enumerate(data.decode("utf-8", errors="replace").splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in digests:
            raise ExportError(f"{DIGESTS} is not a list of digests at line {number}: refused")
        digests[match[2]] = match[1]
    return digests
