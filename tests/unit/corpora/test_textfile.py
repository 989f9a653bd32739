from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.corpora import textfile
from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.textfile import decode_text, read_text, split_paragraphs


def test_reads_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("\ufeffGrüße, 世界 🎉\r\nzwei\rdrei\n".encode())
    assert read_text(file) == "Grüße, 世界 🎉\nzwei\ndrei\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b" \n\t \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"abc\0def", "isn't plain text (byte 3 is 0x00)"),
        (b"\x89PNG\r\n\x1a\n\0\0", "isn't plain text (byte 8 is 0x00)"),
        (b"abc \xff def", "byte 4 is 0xff"),
        (b"\xef\xbb\xbfabc \xe9t\xe9", "byte 7 is 0xe9"),
        (b"caf\xc3", "byte 3 is 0xc3"),
        ("hello".encode("utf-16"), "UTF-16"),
    ],
)
def test_errors_are_one_line(data: bytes, said: str) -> None:
    with pytest.raises(CorpusError) as caught:
        decode_text(data, "letter.txt")
    message = str(caught.value)
    assert said in message
    assert message.startswith("letter.txt ")
    assert "\n" not in message


def test_counts_the_reported_byte_from_the_start() -> None:
    with pytest.raises(CorpusError, match="byte 1000 "):
        decode_text(b"x" * 1_000 + b"\xfe", "t")


def test_rejects_a_text_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textfile, "MAX_BYTES", 2**20)
    file = tmp_path / "large.txt"
    file.write_bytes(b"a" * (2**20 + 1))
    with pytest.raises(CorpusError, match="too large: at most 1 MB"):
        read_text(file)
    file.write_bytes(b"a" * 2**20)
    assert len(read_text(file)) == 2**20


def test_rejects_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file"):
        read_text(tmp_path / "nothing.txt")
    with pytest.raises(CorpusError, match="is a folder"):
        read_text(tmp_path)
    with pytest.raises(CorpusError, match="cannot be read"):
        read_text(tmp_path / ("x" * 5_000))
    with pytest.raises(CorpusError):
        read_text(tmp_path / "nul\0name")


def test_blank_lines_separate_paragraphs() -> None:
    assert split_paragraphs("one\ntwo\n\n  \n three  four \n\t\n\nfive") == ["one two", "three four", "five"]
