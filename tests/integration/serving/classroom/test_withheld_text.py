"""A text that is withheld from a class is withheld in every byte that a viewer can get.

A run is made of a text with a sentence and a file name that occur nowhere else. A viewer asks every route of the class, as its
table has them, in every format, follows the run on its socket while it is trained, and asks for a damaged copy of it. What
comes, headers and close reasons with it, is searched; so are the server's log and its audit log.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import websockets
from websockets.sync.client import ClientConnection, connect

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import NAME_FILE, PLAIN_NAME_FILE
from lamplighter.runfolder.run_set import GridAxis
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.writing.set_creation import create_set
from lamplighter.serving.apps.app import ROUTE_MODULES
from lamplighter.web.audit.audit_log import AUDIT_FILE
from lamplighter.wire.envelope import decode_envelope
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.application import Application
from tests.support.classroom.class_apps import make_class_apps
from tests.support.classroom.class_client import CLASSROOM, ClassClient
from tests.support.route_lists import STATED, TEXT, real_path
from tests.support.runs import small_recipe, small_text, start_worker
from tests.support.waiting import wait_until

WORDS = ("Dear", "diary", "Anna", "kissed", "Ben")
FILE = "Tagebuch Anna K.txt"
BETWEEN = rb"(?:[^A-Za-z0-9]|\\u[0-9a-f]{4})*"
NEEDLES = re.compile(BETWEEN.join(word.encode() for word in WORDS[:3]) + rb"|tagebuch", re.IGNORECASE)
"""The beginning of the sentence with anything between its words, and the name of the file. The words themselves are on the map,
which everybody sees."""
PLAIN_NAME = "A text"
STEPS = 40


class Withheld:
    """A class with a run whose text is withheld."""

    def __init__(self, application: Application, run: RunFolder, viewer: ClassClient) -> None:
        self.application = application
        self.run = run
        self.viewer = viewer
        self.live: list[bytes] = []
        """All that the viewer's socket said."""
        self.worker_log = b""
        self.set_id = ""
        """A set with two copies of the run."""
        self.ids: re.Pattern[bytes] | None = None
        """The token ids of the sentence, one after another."""

    def leaks(self, said: bytes) -> list[bytes]:
        """Return what of the text is in some bytes."""
        found = [match[0] for match in NEEDLES.finditer(said)]
        return found + ([match[0] for match in self.ids.finditer(said)] if self.ids else [])

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Return the status of an answer, and all that it says: the body below the headers."""
        status, said, headers = self.viewer.ask(method, path, body)
        return status, json.dumps(headers).encode() + b"\n" + said

    def presenter_reads(self, path: str) -> bytes:
        request = urllib.request.Request(self.application.url + path)
        request.add_header("Authorization", f"Bearer {self.application.token}")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read()


def follow(socket: ClientConnection, heard: list[bytes]) -> None:
    """Note all that a socket says, unpacked, and at last why it was closed."""
    try:
        for message in socket:
            parts = decode_envelope(message) if isinstance(message, bytes) else [message]
            heard.extend(part.encode() if isinstance(part, str) else part for part in parts)
    except websockets.ConnectionClosed as closed:
        heard.append(str(closed).encode())


def watch(viewer: ClassClient, run: str) -> ClientConnection:
    url = f"{viewer.url.replace('http', 'ws')}/api/runs/{run}/beats"
    return connect(
        url,
        origin=websockets.Origin(viewer.url),
        additional_headers={"Cookie": viewer.cookie},
        max_size=None,
        compression=None,
    )


@pytest.fixture(scope="module")
def withheld(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Withheld]:
    """Train a run of a text that the class may not see, with a viewer who follows from before its first step."""
    folder = tmp_path_factory.mktemp("runs")
    # Its words are not in the order of the sentence where they are counted or sorted.
    text = f"{' '.join(WORDS)}.\n\n{small_text()}\n{'Ben Anna diary kissed Dear. ' * 3} Ben Ben Anna."
    with Application(folder, "serve", "--no-workers", *CLASSROOM) as application:
        sent = json.loads(post_text(application, f"/api/uploads?name={quote(FILE)}", text))
        recipe = small_recipe(prompts=(" ".join(WORDS[:3]),), steps=STEPS).model_dump(mode="json")
        recipe["corpus"]["name"] = ""
        viewer = ClassClient(application)
        assert viewer.join() == 204
        created = application.post("/api/runs", {"recipe": recipe, "upload": sent["upload"]})
        there = Withheld(application, application.run(created["id"]), viewer)
        with watch(viewer, there.run.id) as socket:
            reader = threading.Thread(target=follow, args=(socket, there.live))
            reader.start()
            trainer = start_worker(there.run)
            _, there.worker_log = trainer.communicate(60)
            lay_out(there.run)
            there.set_id = put_into_a_set(there.run)
            wait_until(lambda: any(b'"finished"' in one for one in there.live), "the end on the socket")
            # A trainer may say anything.
            with StepsWriter(there.run.steps_path) as writer:
                failed = f"{FILE} begins with {' '.join(WORDS)}"
                writer.add_event(STEPS, "failed", failed, {"phase": "failed", "message": failed})
            wait_until(lambda: any(b'"failed"' in one for one in there.live), "the failure on the socket")
        reader.join()
        ids = there.run.token_ids[: len(WORDS)].tolist()
        there.ids = re.compile(rb"\b" + rb"\s*,\s*".join(str(one).encode() for one in ids) + rb"\b")
        yield there


def lay_out(run: RunFolder) -> None:
    """Write two maps, as a projector would."""
    places = np.random.default_rng(0).standard_normal((len(run.vocabulary), 2)).astype(np.float32)
    with LayoutsWriter(run.layouts_path) as writer:
        for step in (5, STEPS):
            writer.commit(Layout(1, step, 1.0, Method.UMAP, places, trust=0.9, recall=0.5, sample=20))


def put_into_a_set(run: RunFolder) -> str:
    """Make a set whose members are copies of the run, as if its sweep were over. Return its id."""
    grid = [GridAxis(field="seed", values=[1, 2])]
    made = create_set(
        RunStore(run.path.parent), run.recipe, grid, run.source_path.read_text(encoding="utf-8")
    )
    for member in made.facts.members:
        names = [made.path / member.run / name for name in (NAME_FILE, PLAIN_NAME_FILE)]
        kept = shutil.ignore_patterns(*(name.name for name in names), "*.lock")
        shutil.copytree(run.path, made.path / member.run, ignore=kept, dirs_exist_ok=True)
    return made.id


def post_text(application: Application, path: str, text: str) -> bytes:
    request = urllib.request.Request(application.url + path, text.encode(), method="POST")
    request.add_header("Authorization", f"Bearer {application.token}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read()


def requests_of_the_class(folder: Path, run: str, set_id: str = "none") -> list[tuple[tuple[str, str], str]]:
    """Return each route of the class, by its method and path, with a path to ask it by: one for each of its formats."""
    formats = {
        route.rule.path: [form.name for form in route.answers.formats]
        for module in ROUTE_MODULES
        for route in module.routes.declared
    }
    found: list[tuple[tuple[str, str], str]] = []
    for rule in make_class_apps(folder).gate.rules:
        for method in sorted(rule.methods - {"HEAD"}):
            key = (method, rule.path)
            path = f"/api/runs/{run}{STATED[key]}" if key in STATED and "{run}" in rule.path else rule.path
            path = real_path(path.replace("{set}", set_id), run).replace("{part}", "1")
            path += f"?token={WORDS[0]}" if path.endswith("/word") else ""
            path += f"?with={run}&step=1&other_step=0" if "/difference" in path else ""
            path += "&layout=99" if "/difference/layout" in path else ""
            found.append((key, path))
            joint = "&" if "?" in path else "?"
            found += [(key, f"{path}{joint}format={name}") for name in formats.get(rule.path, ())]
    return found


def test_a_run_has_no_word_of_its_text_in_its_id(withheld: Withheld) -> None:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{6}", withheld.run.id)


def test_no_route_of_the_class_says_anything_of_it(withheld: Withheld, tmp_path: Path) -> None:
    answered: dict[tuple[str, str], set[int]] = {}
    for key, path in requests_of_the_class(tmp_path, withheld.run.id, withheld.set_id):
        body: Any = None if key[0] == "GET" else {"code": "wrong", "run": withheld.run.id, "kind": "pause"}
        status, said = withheld.ask(key[0], path, body)
        assert withheld.leaks(said) == [], f"{key[0]} {path}"
        answered.setdefault(key, set()).add(status)
    withheld_routes = {key for key, statuses in answered.items() if statuses == {403}}
    assert withheld_routes == TEXT | {("POST", "/api/class/assist")}
    silent = {key for key, statuses in answered.items() if 200 not in statuses} - withheld_routes
    # A missing file, a wrong code; and a map of so few words has no districts.
    assert silent <= {
        ("GET", "/app/{path:path}"),
        ("GET", "/static/{path:path}"),
        ("POST", "/api/class/join"),
        ("GET", "/api/runs/{run}/districts"),
    }


def test_a_damaged_run_says_nothing_of_it(withheld: Withheld, tmp_path: Path) -> None:
    damaged = withheld.run.path.with_name("damaged")
    shutil.copytree(withheld.run.path, damaged)
    recipe = json.loads((damaged / "recipe.json").read_text())
    recipe["corpus"] |= {"tokeniser": f"{FILE}: {' '.join(WORDS)}"}
    (damaged / "recipe.json").write_text(json.dumps(recipe))
    try:
        assert NEEDLES.search(withheld.presenter_reads("/api/runs/damaged"))
        for key, path in requests_of_the_class(tmp_path, "damaged"):
            if key[0] == "GET":
                assert withheld.leaks(withheld.ask("GET", path)[1]) == [], path
        heard: list[bytes] = []
        with watch(withheld.viewer, "damaged") as socket:
            follow(socket, heard)
            assert socket.protocol.close_code == 4409
            heard.append((socket.protocol.close_reason or "").encode())
        assert withheld.leaks(b"\n".join(heard)) == []
    finally:
        shutil.rmtree(damaged)


def test_the_socket_says_nothing_of_it(withheld: Withheld) -> None:
    assert len(withheld.live) > 5
    assert withheld.leaks(b"\n".join(withheld.live)) == []
    kinds = {json.loads(one)["type"] for one in withheld.live if one.startswith(b"{")}
    assert {"hello", "class", "status"} <= kinds
    assert kinds.isdisjoint({"words", "lines", "examination"})


def test_logs_say_nothing_of_it(withheld: Withheld) -> None:
    audit = (withheld.application.runs / AUDIT_FILE).read_bytes()
    assert withheld.run.id.encode() in audit
    for said in (audit, withheld.application.log.encode() + withheld.worker_log):
        assert said
        assert withheld.leaks(said) == []


def test_it_exists_once_given_and_a_given_name_is_for_everyone(withheld: Withheld) -> None:
    path = f"/api/runs/{withheld.run.id}"
    (seen,) = withheld.viewer.get("/api/runs?set=")["items"]
    assert (seen["name"], seen["recipe"]["corpus"]["name"]) == (PLAIN_NAME, "")
    (own,) = withheld.application.get("/api/runs?set=")["items"]
    assert (own["name"], own["recipe"]["corpus"]["name"]) == (FILE, FILE)
    withheld.application.post(f"/api/class/texts/{withheld.run.id}", {"given": True})
    assert withheld.viewer.get(path)["name"] == FILE
    assert withheld.ask("GET", f"{path}/steps/3/text")[0] == 200
    withheld.application.post(f"/api/class/texts/{withheld.run.id}", {"given": False})
    withheld.application.change("PATCH", path, {"name": "Our diary"})
    assert withheld.viewer.get(path)["name"] == "Our diary"
    (seen,) = withheld.viewer.get("/api/runs?set=")["items"]
    assert (seen["name"], seen["recipe"]["corpus"]["name"]) == ("Our diary", "")
