"""A folder that the Embedding Projector loads: vectors.tsv, metadata.tsv, and two files that describe them.

projector_config.json is what the page projector.tensorflow.org takes for its `config`; TensorBoard's plugin reads
projector_config.pbtxt, the same message as protobuf text.

Its metadata file has a header line only when it has more than one column. With one column every line is the
label of a point, including the first (a legacy of its `vocab file`), so a header there would shift all labels
by one. It splits lines at newlines and columns at tabs, without quoting.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

from lamplighter.exports.output import ExportProgress
from lamplighter.exports.step_snapshot import read_step_snapshot
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.token_text import read_tokens

_VISIBLE_CONTROLS = {"\t": "⇥", "\n": "⏎", "\r": "␍"}
_ROWS = 2_000


def write_embedding_projector(run: RunFolder, step: int | None, out: Path, progress: ExportProgress) -> None:
    """Write the folder. The columns are the token as people read it, its count and its planted class, where those are
    known.

    Raises:
        ExportError: that step is not stored exactly, or the run has no step yet.
    """
    snapshot = read_step_snapshot(run, step)
    out.mkdir()
    size, dim = snapshot.vectors.shape
    with (out / "vectors.tsv").open("w", encoding="utf-8", newline="\n") as file:
        for first in range(0, size, _ROWS):
            # Nine digits preserve every bit of a float32.
            for row in snapshot.vectors[first : first + _ROWS].tolist():
                file.write("\t".join(f"{value:.9g}" for value in row) + "\n")
            progress(first / size, "vectors.tsv")
    texts = read_tokens(snapshot.vocabulary.tokens)
    columns: dict[str, list[str]] = {"token": [escape_cell(text) for text in texts]}
    if snapshot.vocabulary.counts_known:
        columns["count"] = [str(count) for count in snapshot.vocabulary.counts.tolist()]
    if snapshot.vocabulary.classes:
        columns["class"] = [escape_cell(name) if name else "none" for name in snapshot.classes]
    header = ["\t".join(columns)] if len(columns) > 1 else []
    lines = [*header, *("\t".join(cells) for cells in zip(*columns.values(), strict=True))]
    (out / "metadata.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    name = f"{snapshot.run_id}, step {snapshot.step}"
    config = {
        "embeddings": [
            {
                "tensorName": name,
                "tensorShape": [size, dim],
                "tensorPath": "vectors.tsv",
                "metadataPath": "metadata.tsv",
            }
        ]
    }
    (out / "projector_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    text = config_text(name, (size, dim), "vectors.tsv", "metadata.tsv")
    (out / "projector_config.pbtxt").write_text(text, encoding="ascii", newline="\n")


def config_text(name: str, shape: tuple[int, int], vectors: str, metadata: str) -> str:
    """Return a `ProjectorConfig` of one embedding as protobuf text, in ASCII.

    Args:
        name: of the embedding, as TensorBoard lists it.
        shape: (V, D).
        vectors: path of the vectors, from the folder that the text lies in.
        metadata: path of the labels, likewise.
    """
    return (
        "embeddings {\n"
        f"  tensor_name: {_quoted(name)}\n"
        f"  tensor_shape: {shape[0]}\n"
        f"  tensor_shape: {shape[1]}\n"
        f"  tensor_path: {_quoted(vectors)}\n"
        f"  metadata_path: {_quoted(metadata)}\n"
        "}\n"
    )


def _quoted(text: str) -> str:
    """Return a string of protobuf text: UTF-8, each byte that is no plain ASCII sign as three octal digits."""
    plain = (
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:03o}"
        for byte in text.encode("utf-8")
    )
    return f'"{"".join(plain)}"'


def escape_cell(text: str) -> str:
    """Escape any text as one cell of a table without quotes.

    Controls become their pictures (U+2400...), directional marks and separators their code; the result is
    never empty.
    """
    signs: list[str] = []
    for sign in text:
        if sign in _VISIBLE_CONTROLS:
            signs.append(_VISIBLE_CONTROLS[sign])
        elif ord(sign) < 0x20:
            signs.append(chr(0x2400 + ord(sign)))
        elif unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            signs.append(f"\\u{ord(sign):04x}")
        else:
            signs.append(sign)
    shown = "".join(signs)
    # A cell of blanks is invisible, and some readers drop the line.
    return shown if shown.strip() else f"({shown.replace(' ', '␠') or 'empty'})"
