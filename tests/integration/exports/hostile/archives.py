"""Hostile zips, by their headers and their structure, each with part of the expected message."""

from __future__ import annotations

import bz2
import lzma
import stat
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
_UTF8 = 1 << 11


@dataclass(frozen=True)
class Member:
    """A member of a zip with the claims of its headers; None means the true value."""

    name: bytes
    data: bytes
    method: int = STORED
    flags: int = 0
    crc: int | None = None
    packed_size: int | None = None
    size: int | None = None
    offset: int | None = None
    extra: bytes = b""
    attributes: int = (stat.S_IFREG | 0o644) << 16
    local_name: bytes | None = None
    """Its name in the header before its data."""


Change = Callable[[list[Member]], list[Member]]


@dataclass(frozen=True)
class Archive:
    """A hostile zip."""

    says: str
    """Part of the message that rejects it."""
    change: Change = lambda members: members
    finish: Callable[[bytes], bytes] = lambda data: data
    """A change of the bytes of the whole zip."""


def good_members(folder: Path) -> list[Member]:
    """Return the deflated members of the zip of a valid run, without digests, which would detect every change."""
    return [
        deflated(f"run/{path.relative_to(folder).as_posix()}".encode(), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "SHA256SUMS"
    ]


def deflated(name: bytes, data: bytes) -> Member:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    return Member(name, packed, DEFLATED, crc=zlib.crc32(data), size=len(data))


def assemble(members: list[Member]) -> bytes:
    """Return the bytes of a zip."""
    body, directory = bytearray(), bytearray()
    for member in members:
        offset = len(body) if member.offset is None else member.offset
        crc = zlib.crc32(member.data) if member.crc is None else member.crc
        packed = len(member.data) if member.packed_size is None else member.packed_size
        size = len(member.data) if member.size is None else member.size
        sizes = (crc & 0xFFFF_FFFF, packed & 0xFFFF_FFFF, size & 0xFFFF_FFFF)
        local = member.name if member.local_name is None else member.local_name
        head = struct.pack("<HHHHHIII", 20, member.flags, member.method, 0, 33, *sizes)
        body += b"PK\x03\x04" + head + struct.pack("<HH", len(local), 0) + local + member.data
        directory += (
            b"PK\x01\x02" + struct.pack("<H", 20) + head
            + struct.pack("<HHHHHII", len(member.name), len(member.extra), 0, 0, 0, member.attributes, offset & 0xFFFF_FFFF)
            + member.name + member.extra
        )  # fmt: skip
    return bytes(body + directory) + end_record(len(members), len(directory), len(body))


def end_record(count: int, size: int, offset: int, disk: int = 0, comment: bytes = b"") -> bytes:
    return (
        b"PK\x05\x06"
        + struct.pack("<HHHHIIH", disk, disk, count, count, size, offset, len(comment))
        + comment
    )


def _add(*members: Member) -> Change:
    return lambda good: [*good, *members]


def _named(name: str | bytes, data: bytes = b"x", **claims: int) -> Change:
    return _add(Member(name if isinstance(name, bytes) else name.encode(), data, **claims))  # pyright: ignore[reportArgumentType]


def _alter(name: str, **claims: object) -> Change:
    """Change the claims of one member's headers."""

    def change(members: list[Member]) -> list[Member]:
        return [
            replace(member, **claims) if member.name == f"run/{name}".encode() else member  # pyright: ignore[reportArgumentType]
            for member in members
        ]

    return change


def _without(name: str) -> Change:
    return lambda members: [member for member in members if member.name != f"run/{name}".encode()]


def _with(name: str, data: bytes) -> Change:
    """Replace or add a member."""
    return lambda members: [*_without(name)(members), deflated(f"run/{name}".encode(), data)]


def _packed_by(method: int, pack: Callable[[bytes], bytes]) -> Change:
    text = b"the text"
    packed = Member(b"run/source.txt", pack(text), method, crc=zlib.crc32(text), size=len(text))
    return lambda members: [*_without("source.txt")(members), packed]


def _lzma(text: bytes) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16}]
    return (
        b"\x09\x04\x05\x00"
        + struct.pack("<BI", 93, 1 << 16)
        + lzma.compress(text, lzma.FORMAT_RAW, filters=filters)
    )


def _lzma_with_a_huge_dictionary(text: bytes) -> bytes:
    return b"\x09\x04\x05\x00" + struct.pack("<BI", 93, 0xFFFF_FFFF) + _lzma(text)[9:]


def _sums(text: str) -> Change:
    return _with("SHA256SUMS", text.encode())


def _sums_of_all(change: Callable[[dict[str, str]], None]) -> Change:
    """Add a list of the right digests, then change it."""
    import hashlib

    def act(members: list[Member]) -> list[Member]:
        sums = {
            member.name.removeprefix(b"run/").decode(): hashlib.sha256(
                zlib.decompress(member.data, -15)
            ).hexdigest()
            for member in members
        }
        change(sums)
        lines = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
        return _sums(lines)(members)

    return act


def _zip64(field: int) -> bytes:
    return struct.pack("<HHQ", 1, 8, field)


def _flip(start: int, mask: int = 0xFF, count: int = 1) -> Callable[[bytes], bytes]:
    """Change bytes; `start` is a share of the length in thousandths."""

    def act(data: bytes) -> bytes:
        changed = bytearray(data)
        at = len(data) * start // 1_000
        for i in range(at, min(at + count, len(data))):
            changed[i] ^= mask
        return bytes(changed)

    return act


def _end(**how: int) -> Callable[[bytes], bytes]:
    """Replace the record at the end."""

    def act(data: bytes) -> bytes:
        at = data.rindex(b"PK\x05\x06")
        *_, count, _, size, offset, _ = struct.unpack("<HHHHIIH", data[at + 4 : at + 22])
        true = {"count": count, "size": size, "offset": offset}
        return data[:at] + end_record(**(true | how))

    return act


def _zip64_end(disks: int = 1, size: int = 0, offset: int = 0) -> Callable[[bytes], bytes]:
    """Add the zip64 records before the one at the end."""

    def act(data: bytes) -> bytes:
        at = data.rindex(b"PK\x05\x06")
        large = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, size, offset)
        locator = b"PK\x06\x07" + struct.pack("<IQI", 0, at, disks)
        return data[:at] + large + locator + end_record(0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF)

    return act


_NO_FILE = "is not a file of a run"
_OTHER_NAMES = (
    "../evil.txt", "/etc/evil", "run/../../evil", "run\\..\\evil", "C:\\evil", "run/.presenter-token", "run/trainer.lock",
    "run/requests-cli.sqlite", "run/waypoints/../x.safetensors", "run/waypoints/1-1.safetensors", "run/waypoints/a/0000000001-0001.safetensors", "run/checkpoints/../x.safetensors", "run/checkpoints/0000000001-0001.pt",
    "run/recipe.json\x00.txt", "run/steps.sqlite-wal", "run/steps.sqlite-journal", "other/recipe.json", "run/logs/",
    "run/RECIPE.JSON", "run/\uff52ecipe.json", "run/\x1b]0;owned\x07", "run/" + "x" * 65_000, "run//recipe.json",
)  # fmt: skip

ARCHIVES: dict[str, Archive] = {
    **{f"a member called {name[:40]!a}": Archive(_NO_FILE, _named(name, flags=_UTF8)) for name in _OTHER_NAMES},
    "a link": Archive("holds a link", _named("run/source.txt", b"/etc/passwd", attributes=(stat.S_IFLNK | 0o777) << 16)),
    "a device": Archive(_NO_FILE, _alter("source.txt", attributes=(stat.S_IFCHR | 0o666) << 16)),
    "a pipe": Archive(_NO_FILE, _alter("source.txt", attributes=(stat.S_IFIFO | 0o666) << 16)),
    "a folder called as a file": Archive(_NO_FILE, _alter("recipe.json", attributes=(stat.S_IFDIR | 0o755) << 16)),
    "the same name twice": Archive("twice", _named("run/recipe.json", b"{}")),
    "forty thousand members": Archive("list of files is too long", _add(*(Member(b"run/%d" % i, b"") for i in range(40_000)))),
    "forty members": Archive("a run has at most 32", _add(*(Member(b"run/%d" % i, b"") for i in range(40)))),
    "two hundred and one waypoints": Archive(
        "the zip has 202 files in waypoints/, a run has at most 200", _add(*(Member(b"run/waypoints/%010d-0001.safetensors" % i, b"") for i in range(100, 301)))
    ),
    "a waypoint of five gigabytes, by its header": Archive(
        "at most 4,000,000,000 are allowed", _alter("waypoints/0000000010-0001.safetensors", size=0xFFFF_FFFF, extra=_zip64(5_000_000_000))
    ),
    "no recipe": Archive("no recipe.json", _without("recipe.json")),
    "no steps": Archive("no steps.sqlite", _without("steps.sqlite")),
    "no corpus": Archive("no corpus.npy", _without("corpus.npy")),
    "nothing": Archive("no recipe.json", lambda _: []),
    "a name that is not UTF-8": Archive("not a zip that can be read", _named(b"run/\xff\xfe", flags=_UTF8)),
    "another name before the data": Archive("differ", _alter("source.txt", local_name=b"run/recipe.json")),
    "a recipe of two megabytes": Archive("recipe.json would have", _with("recipe.json", b" " * 2_000_000)),
    "a file of four gigabytes, by its header": Archive("at most 67,108,864 are allowed", _alter("source.txt", size=0xFFFF_FFFE)),
    "a file of 2**64 bytes, by its header": Archive(
        "are allowed", _alter("source.txt", size=0xFFFF_FFFF, extra=_zip64(2**64 - 1))
    ),
    "a file that begins at 2**64": Archive(
        "not a zip that can be read", _alter("source.txt", offset=0xFFFF_FFFF, extra=_zip64(2**64 - 1))
    ),
    "a file that begins beyond the end": Archive("not a zip that can be read", _alter("source.txt", offset=0x7FFF_FFFF)),
    "a file that begins at another": Archive("differ", _alter("source.txt", offset=0)),
    "a size that is too small": Archive("Bad CRC-32", _alter("steps.sqlite", size=100)),
    "a size that is too large": Archive("not as large as it says", _alter("source.txt", size=100)),
    "a packed size beyond the end": Archive("some bytes for two files", _alter("vocabulary.json", packed_size=0x7FFF_FFFF)),
    "a packed size of nothing": Archive("Bad CRC-32", _alter("vocabulary.json", packed_size=0)),
    "a wrong checksum": Archive("Bad CRC-32", _alter("source.txt", crc=1)),
    "no deflated data": Archive("is damaged", _alter("source.txt", data=b"\xff" * 100)),
    "encrypted": Archive("encrypted", _alter("source.txt", flags=1)),
    "strongly encrypted": Archive("strong encryption", _alter("source.txt", flags=1 << 6)),
    "patched data": Archive("patched data", _alter("source.txt", flags=1 << 5)),
    "an unknown method": Archive("other than deflate", _alter("source.txt", method=99)),
    "packed by bzip2": Archive("other than deflate", _packed_by(BZIP2, bz2.compress)),
    "packed by LZMA": Archive("other than deflate", _packed_by(LZMA, _lzma)),
    "damaged LZMA": Archive("other than deflate", _packed_by(LZMA, lambda text: b"\x09\x04\x05\x00" + b"\xff" * 40)),
    "LZMA with a dictionary of four gigabytes": Archive("other than deflate", _packed_by(LZMA, _lzma_with_a_huge_dictionary)),
    "an extra field that is cut short": Archive("Corrupt extra field", _alter("source.txt", extra=b"\x01\x00\xff\x00")),
    "a zip64 field without its number": Archive(
        "Corrupt zip64", _alter("source.txt", size=0xFFFF_FFFF, extra=b"\x01\x00\x00\x00")
    ),
    "zeros that unpack to sixty megabytes": Archive("is not an SQLite database", _with("steps.sqlite", bytes(60_000_000))),
    "digests of another file": Archive(
        "not the file that SHA256SUMS lists", _sums_of_all(lambda sums: sums.update({"steps.sqlite": "0" * 64}))
    ),
    "digests that lack a file": Archive("do not hold the same files", _sums_of_all(lambda sums: sums.__delitem__("tiles.sqlite"))),
    "digests of a file that is not there": Archive(
        "do not hold the same files", _sums_of_all(lambda sums: sums.update({"../evil": "0" * 64}))
    ),
    "digests that are no text": Archive("not a list of digests at line 1", _with("SHA256SUMS", b"\xff\x00\x1b[2J")),
    "digests in capitals": Archive("not a list of digests", _sums(f"{'A' * 64}  recipe.json\n")),
    "digests of 70 kilobytes": Archive("SHA256SUMS would have", _with("SHA256SUMS", b"\n" * 70_000)),
    "an empty file": Archive("not a zip that can be read", finish=lambda data: b""),
    "no zip": Archive("not a zip that can be read", finish=lambda data: b"hello"),
    "its first ten bytes": Archive("not a zip that can be read", finish=lambda data: data[:10]),
    "its first half": Archive("not a zip that can be read", finish=lambda data: data[: len(data) // 2]),
    "without its last bytes": Archive("not a zip that can be read", finish=lambda data: data[:-10]),
    "without its first bytes": Archive("cut short", finish=lambda data: data[100:]),
    "a damaged header of a file": Archive("Bad magic number", finish=lambda data: b"\x00" * 64 + data[64:]),
    "a damaged list of files": Archive("Bad magic number", finish=lambda data: data.replace(b"PK\x01\x02", b"PK\x01\x03")),
    "damaged in the middle": Archive("Bad CRC-32", finish=_flip(500, count=64)),
    "a list of files that is too long": Archive("not a zip that can be read", finish=_end(size=0x7FFF_FFFF)),
    "a list of files that begins beyond the end": Archive("cut short", finish=_end(offset=0x7FFF_FFFF)),
    "a list of files of another length": Archive("Bad magic number", finish=_end(size=77)),
    "of several disks": Archive("multiple disks", finish=_zip64_end(disks=2)),
    "a list of 2**63 bytes": Archive("not a zip that can be read", finish=_zip64_end(size=2**63, offset=2**63)),
    "a list that begins at 2**64": Archive("no recipe.json", finish=_zip64_end(offset=2**64 - 1)),
    "a list that begins before the start": Archive("not a zip that can be read", finish=_zip64_end(size=100, offset=2**62)),
}  # fmt: skip
