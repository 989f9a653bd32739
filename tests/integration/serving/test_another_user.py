"""Runs owned by another user: shown, and none of their files touched."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lamplighter.web.access.credentials import TOKEN_FILE, open_credentials
from tests.support.folders import finished_run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="users are POSIX")

SCRIPT = """
import json, os, pathlib, sys, urllib.request
from lamplighter.web.settings import ServerSettings
from tests.support.served import ServerThread
def look(folder):
    served = ServerThread(ServerSettings(folder, port=0)).start()
    try:
        base = f'http://127.0.0.1:{served.port}/api/runs'
        runs = json.load(urllib.request.urlopen(base))['items']
        steps = json.load(urllib.request.urlopen(f'{base}/{runs[0]["id"]}/steps'))['items'] if runs else []
        return [run['status']['phase'] for run in runs], len(steps), served.ready.token
    finally:
        served.stop()
# Once as we are: the other user may not be able to read what Python imports late.
look(pathlib.Path(sys.argv[2]))
if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)
folder = pathlib.Path(sys.argv[1])
try: (folder / 'x').touch(); sys.exit('the folder is writable')
except PermissionError: pass
print(json.dumps(look(folder)))
"""


def test_a_finished_run_is_served_by_another_user(tmp_path: Path) -> None:
    """As root, a real other user serves it; otherwise the same user without write permission."""
    folder = tmp_path / "runs"
    run = finished_run(folder, 12)
    token = open_credentials(folder).token
    if os.geteuid() != 0:
        # The token file is our own, which no other user could have read.
        (folder / TOKEN_FILE).unlink()
    # Runs and pytest's folders are closed to other users; open the path to this one, and close it afterwards.
    way = [path for path in (run.path, *run.path.parents) if path.stat().st_uid == os.geteuid()]
    way += run.path.iterdir()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in way}
    before = sorted(path.name for path in run.path.iterdir())
    try:
        for path in way:
            path.chmod(modes[path] | 0o005)
        for path in (run.path, folder):
            path.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(folder), str(tmp_path / "none")],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parents[3],
        )
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert done.returncode == 0, done.stderr
    phases, steps, theirs = json.loads(done.stdout)
    assert (phases, steps) == (["finished"], 12)
    assert theirs != token
    assert sorted(path.name for path in run.path.iterdir()) == before
    if os.geteuid() == 0:
        assert open_credentials(folder).token == token


PRIVATE = (
    SCRIPT.split("if os.geteuid")[0]
    + """
if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)
served = ServerThread(ServerSettings(pathlib.Path(sys.argv[1]), port=0)).start()
try:
    base = f'http://127.0.0.1:{served.port}/api/runs'
    (run,) = json.load(urllib.request.urlopen(base))['items']
    answers = []
    for path in ('', '/steps', '/snapshots', '/layouts', '/tokens'):
        try: urllib.request.urlopen(f"{base}/{run['id']}{path}")
        except urllib.error.HTTPError as error: answers.append((error.code, error.read().decode()))
    print(json.dumps([run['problem'], answers]))
finally:
    served.stop()
"""
)


def test_a_run_that_its_owner_did_not_open_is_listed_with_the_reason(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    run = finished_run(folder, 12)
    # The folder that it is making is not in the way.
    (folder / ".making-0").mkdir(mode=0o700)
    way = [path for path in (folder, *folder.parents) if path.stat().st_uid == os.geteuid()]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (*way, run.path)}
    try:
        for path in way:
            path.chmod(modes[path] | 0o005)
        if os.geteuid() != 0:
            run.path.chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", PRIVATE, str(folder), str(tmp_path / "none")],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[3],
        )
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert done.returncode == 0, done.stderr
    problem, answers = json.loads(done.stdout)
    assert problem == "recipe.json: Permission denied"
    assert [code for code, _ in answers] == [409] * 4, answers
    assert all(str(tmp_path) not in text for _, text in answers)
