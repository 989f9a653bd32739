"""The command line in German: who decides it, what speaks it, and its catalogues of sentences."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from lamplighter.cli.app import cli, main
from lamplighter.cli.doctor import command as doctor
from lamplighter.contract.sentences import Catalogue
from tests.support.catalogues import ROOT, calls, check_variants, fields_of, read_trees, strings_of
from tests.unit.doctor.networks import network
from tests.unit.lessons.test_typed_figures import CHOICES, CLASS_ANSWERS_HEAD, GUESSES, WRITTEN

GERMAN, ENGLISH = "Einen Lauf „nothere“ gibt es hier nicht.", "there is no run 'nothere' in"


def complain(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Ask for a run that is not there. Returns the exit code."""
    monkeypatch.setattr(
        sys, "argv", ["lamplighter", *words, "--runs", str(folder), "export", "nothere", "--to", "npy"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    return int(str(ended.value.code))


@pytest.mark.parametrize(
    ("words", "variables", "told"),
    [
        ((), {}, ENGLISH),
        ((), {"LANG": "de_DE.UTF-8"}, GERMAN),
        ((), {"LANG": "de_DE.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, ENGLISH),
        ((), {"LANG": "en_GB.UTF-8", "LC_MESSAGES": "en_GB", "LC_ALL": "de_AT"}, GERMAN),
        ((), {"LANG": "de_DE", "LC_ALL": ""}, GERMAN),
        ((), {"LANG": "fr_FR.UTF-8"}, ENGLISH),
        ((), {"LANG": "de_DE", "LAMPLIGHTER_LANG": "en"}, ENGLISH),
        ((), {"LANG": "en_GB", "LAMPLIGHTER_LANG": "de"}, GERMAN),
        (("--lang", "en"), {"LANG": "de_DE", "LAMPLIGHTER_LANG": "de"}, ENGLISH),
        (("--lang", "de"), {"LAMPLIGHTER_LANG": "en"}, GERMAN),
    ],
)
def test_the_option_decides_then_the_variable_then_the_system(
    words: tuple[str, ...],
    variables: dict[str, str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    for name in ("LAMPLIGHTER_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert complain(tmp_path, monkeypatch, *words) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--lang", "fr"), ()])
def test_an_unknown_language_is_refused(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("LAMPLIGHTER_LANG", "fr")
    assert complain(tmp_path, monkeypatch, *words) == 2
    told = capsys.readouterr().err
    assert told.startswith(
        "lamplighter: Invalid value for '--lang': 'fr' is not one of 'en', 'de'."
        if words
        else "lamplighter: LAMPLIGHTER_LANG is 'fr', not one of en, de"
    )


def test_the_doctor_speaks_german(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "run_doctor", partial(doctor.run_doctor, read=network))
    done = CliRunner().invoke(cli, ["--lang", "de", "doctor", "--class-port", "0"], standalone_mode=False)
    assert "  !!  Dieser Computer ist in keinem Netz.\n      > Verbinde ihn mit dem WLAN" in done.output
    assert "Nicht prüfen kann er:\n  -   das WLAN des Handys" in done.output


def test_the_report_of_a_class_speaks_german(tmp_path: Path):
    file = tmp_path / "answers.csv"
    file.write_text(f"{CLASS_ANSWERS_HEAD}\n{GUESSES}{CHOICES}{WRITTEN}")
    told = CliRunner().invoke(cli, ["--lang", "de", "class-report", str(file)]).output
    assert "How many? (Teil 2, Abschnitt 3)\n  3 haben geantwortet: 8 % in der Mitte" in told
    assert "durch Raten wären es 1,5, und so viele oder mehr in 50 % solcher Klassen" in told
    assert "Unterschied der Mittel: +2,00." in told
    assert "keine Stichprobe" in told
    file.write_text(f"{CLASS_ANSWERS_HEAD}\nQ,,,,,,,,before,a,3\n")
    refused = CliRunner().invoke(cli, ["--lang", "de", "class-report", str(file)])
    assert refused.exit_code == 1
    assert "answers.csv: Zeile 2: level ist '3', nicht 0, 1 oder 2" in refused.output


@pytest.mark.parametrize(("room", "function"), [("cli", "tell"), ("lessons", "ClassAnswersError")])
def test_each_sentence_has_a_text_in_each_language_with_its_values(room: str, function: str):
    trees = read_trees(ROOT / room)
    catalogue = Catalogue(ROOT / room / "texts")
    bases = {key for key in catalogue.english if "__" not in key}
    assert bases == {key for key in catalogue.german if "__" not in key}
    assert [key for key in sorted(bases) if key not in strings_of(trees)] == []
    found = list(calls(trees, [function]))
    assert len(found) > 8
    for texts in (catalogue.english, catalogue.german):
        check_variants(texts)
        for _, key, names in found:
            assert fields_of(texts[key]).keys() == names - {"line"}, key
        unlike = [key for key in bases if fields_of(texts[key]) != fields_of(catalogue.english[key])]
        assert unlike == []
