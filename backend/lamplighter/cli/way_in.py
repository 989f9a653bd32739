"""The way into the class, as the terminal tells it: a QR code, the address, the code, and what is in the clear."""

from __future__ import annotations

from lamplighter.cli.terminal import print_line, print_qr_code
from lamplighter.serving.server_info import ClassJoin


def print_way_in(join: ClassJoin) -> None:
    """Print how a class joins."""
    print_line("")
    print_line(f"The class (up to {join.most} viewers, who watch and change nothing) joins")
    print_line(f"  at {join.address}  with the code  {join.code}")
    if join.others:
        print_line(f"  if that does not open: {', '.join(join.others)}")
    print_line("  or with a phone's camera:")
    print_qr_code(join.link)
    if not join.encrypted:
        print_line(
            "Without TLS, whoever shares this network can read what the class is shown, and join as one of them;"
        )
        print_line("your own session never crosses it. docs/classroom.md tells how to put TLS in front.")
    print_line("If phones cannot reach it: lamplighter doctor")
    print_line("")
