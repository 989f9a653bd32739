"""The sentences of findings have the same values in each language, and their numbers as that language writes them."""

from __future__ import annotations

import re

from lamplighter.client.histories.report import LANGUAGES, NOTHING, TEXTS, Part, Steps, tell


def test_each_language_has_the_same_texts_and_values():
    assert LANGUAGES == ("en", "de")
    named = {
        code: {key: set(re.findall(r"{(\w+)}", text)) for key, text in texts.items()}
        for code, texts in TEXTS.items()
    }
    assert named["en"] == named["de"]


def test_numbers_and_steps_are_named_as_the_language_does():
    among = [0, 1, 2, 4, 1_000, 2_000, 3_000, 143_000]
    values = {"steps": Steps([0, 1, 2, 1_000, 2_000, 143_000], among), "of": 143_000, "last": Part("last")}
    assert tell("rounded", values, "en") == (
        "steps 0 to 2, 1,000, 2,000 and 143,000: the table of step 143,000, the last, but for rounding"
    )
    assert tell("rounded", values | {"last": NOTHING}, "de").startswith(
        "Schritte 0 bis 2, 1.000, 2.000 und 143.000: bis auf Rundung die Tabelle von Schritt 143.000"
    )
    many = Steps(range(0, 40, 2), range(40))
    assert tell("rounded", values | {"steps": many}, "en").startswith(
        "steps 0, 2, 4, 6, 8, 10, 12, 14 and 12 more: "
    )
