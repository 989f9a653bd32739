"""The chaos soak: every kind of process works on a few runs while one after another is killed."""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from lamplighter.platform.failpoint import VARIABLE
from lamplighter.runfolder.lineage import step_key
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.writing.finalise import unsealed_roles
from tests.soak.audit import FORGED, Faults, audit
from tests.soak.exporters import FORMATS, Exporter
from tests.soak.observer import CommitObserver
from tests.soak.processes import PLACES, Deaths, kill_process, wait_until_gone, workers, workers_with_role
from tests.soak.reference import ReferenceRun, newest_step, phase_of
from tests.support.application import Application
from tests.support.runs import make_run

_PATIENCE = 300.0
_SESSION = 150.0
_QUIET = 40.0
"""Seconds without a kill or a new step after which the session ends, so that the next arms other places."""


@dataclass
class Plan:
    """The number of kills, in total and by place."""

    kills: int
    inside: dict[str, int]
    """Minimum number of kills inside each place."""
    servers: int
    """Minimum number of kills of the server."""
    runs_at_once: int

    def missing(self, deaths: Deaths) -> dict[str, int]:
        """Return the kills still missing, by place, with the server as a place of its own."""
        left = {place: count - deaths.places[place] for place, count in self.inside.items()}
        left["server"] = self.servers - deaths.processes["server"]
        return {what: count for what, count in left.items() if count > 0}

    def spare(self, deaths: Deaths) -> int:
        """Return how many kills remain for random moments."""
        return self.kills - deaths.total - sum(self.missing(deaths).values())

    def done(self, deaths: Deaths) -> bool:
        """Return whether all planned kills have happened."""
        return deaths.total >= self.kills and not self.missing(deaths)


@dataclass
class ChaosSoak:
    """One chaos soak. The seed decides every action; the machine decides the exact timing."""

    folder: Path
    reference: ReferenceRun
    plan: Plan
    seed: int
    log: Callable[[str], None]
    deaths: Deaths = field(default_factory=Deaths)
    faults: Faults = field(default_factory=Faults)
    forgeries: dict[str, int] = field(default_factory=dict[str, int])
    exported: int = 0
    audits: int = 0

    def __post_init__(self) -> None:
        self._choose = random.Random(self.seed)
        self._runs = (self.folder / "runs").resolve()
        self._run_store = RunStore(self._runs)
        self._observer = CommitObserver()
        self._exporters: list[Exporter] = []
        self._passed: set[str] = set()
        self._said: set[str] = set()
        self._server: Application | None = None

    def run(self) -> None:
        """Kill until the plan is fulfilled, auditing between sessions; then let every run finish."""
        try:
            sessions = 0
            while not self.plan.done(self.deaths):
                self._create_runs()
                self._session(power_cut=sessions % 2 == 1)
                sessions += 1
                self.log(f"{self.deaths.total} of {self.plan.kills} killed; {dict(self.deaths.places)}")
            self._finish_all_runs()
        finally:
            self._observer.close()
            if self._server is not None:
                self._server.kill()
            for exporter in self._exporters:
                exporter.process.kill()
            for _, _, process in workers(self._runs):
                kill_process(process)

    @property
    def runs(self) -> list[RunFolder]:
        """Return all runs so far."""
        return self._run_store.runs()

    def _create_runs(self) -> None:
        """Create runs until as many are unfinished as the plan demands."""
        going = [run for run in self.runs if not self._over(run)]
        for _ in range(self.plan.runs_at_once - len(going)):
            make_run(self._runs, **self.reference.recipe)
        self._observer.watch([run for run in self.runs if run.id not in self._passed])

    def _over(self, run: RunFolder) -> bool:
        return run.id in self._passed or phase_of(run) == "finished"

    def _choose_failpoints(self) -> str:
        """Choose the failpoints of a session: for each process, the place whose kills are most behind plan.

        The process dies at that place each time it is started again.
        """
        missing = self.plan.missing(self.deaths)
        arms: list[str] = []
        # Sealing and handover need a run that lives to its end, so they are never armed with places that kill
        # earlier.
        for groups in ((("checkpoint",), ("wal",), ("handover", "seal")), (("layout",),), (("tiling",),)):
            behind = [group for group in groups if any(place in missing for place in group)]
            if behind and self._choose.random() < 0.8:
                group = max(behind, key=lambda group: max(self._share_missing(place) for place in group))
                names = [name for place in group if place in missing for name in PLACES[place]]
                # A process reaches the end of a run only once.
                often = (1,) if len(group) > 1 else (1, 1, 2)
                arms += [f"{name}:{self._choose.choice(often)}" for name in names]
        return ",".join(arms)

    def _share_missing(self, place: str) -> float:
        return self.plan.missing(self.deaths).get(place, 0) / self.plan.inside[place]

    def _serve(self, armed: str) -> Application | None:
        """Start the application. Returns None if it died at a failpoint before it printed its address."""
        command = ["env", f"{VARIABLE}={armed}", sys.executable, "-m", "lamplighter"]
        try:
            self._server = Application(self._runs, "serve", command=command)
            return self._server
        except AssertionError as error:
            if not self.deaths.count_reported("server", str(error)):
                raise
            return None

    def _session(self, *, power_cut: bool) -> None:
        """Run one server's life: workers die at failpoints and by random kills, then the server ends."""
        armed = self._choose_failpoints()
        server = self._serve(armed)
        if server is None:
            return
        begun, target = self.deaths.total, self._choose.randint(5, 9)
        until = time.monotonic() + _SESSION
        before, quiet = (-1, -1), 0.0
        while self.deaths.total < begun + target and time.monotonic() < until:
            if server.process.poll() is not None or self._session_done(armed):
                break
            time.sleep(self._choose.uniform(0.1, 0.6))
            self._act_at_random()
            self._create_runs()
            self.deaths.read_logs(self.runs)
            now = self.deaths.total, sum(newest_step(run) for run in self.runs)
            if now != before:
                before, quiet = now, time.monotonic() + _QUIET
            elif time.monotonic() > quiet:
                break
        self._end_server(server, power_cut=power_cut)
        self.deaths.read_logs(self.runs)
        self._collect()
        if not workers(self._runs):
            self._audit()

    def _session_done(self, armed: str) -> bool:
        """Return whether the session has done its part: enough deaths at one of the armed places.

        The other armed places may be unreachable while that one keeps killing.
        """
        missing = self.plan.missing(self.deaths)
        if self.plan.spare(self.deaths) > 0 or "export" in missing:
            return self.plan.done(self.deaths)
        places = [place for place, names in PLACES.items() if any(f"{name}:" in armed for name in names)]
        return not places or any(place not in missing for place in places)

    def _act_at_random(self) -> None:
        """Do one random action, as far as the plan has kills to spend on it."""
        # Only the end of the session shows whether an exporter died at its failpoint.
        pending = len(self._exporters)
        spare = self.plan.spare(self.deaths) - pending
        some = [self._export] if self.plan.missing(self.deaths).get("export", 0) > pending else []
        some += [self._kill_one, self._kill_and_forge, self._export] if spare >= 1 else []
        some += [self._kill_twice] if spare >= 4 else []
        if some:
            self._choose.choice(some)()

    def _end_server(self, server: Application, *, power_cut: bool) -> None:
        """End the server: together with all its workers, alone, or in peace."""
        spare, missing = self.plan.spare(self.deaths), self.plan.missing(self.deaths)
        at_once = [(role, process) for role, _, process in workers(self._runs)]
        if server.process.poll() is not None:
            server.close()
            if not self.deaths.count_reported("server", server.log):
                raise AssertionError(f"the server ended by itself; it said:\n{server.log}")
            return
        if power_cut and spare > len(at_once):
            server.kill()
            self.deaths.count("server")
            for role, process in at_once:
                if kill_process(process):
                    self.deaths.count(role)
            wait_until_gone([process for _, process in at_once])
        elif spare > 0 or "server" in missing:
            server.kill()
            self.deaths.count("server")
        else:
            # On SIGTERM the workers leave their runs to be resumed; Ctrl-C would interrupt the runs.
            server.process.terminate()
            server.process.wait(60)
        server.close()

    def _kill_one(self) -> None:
        if found := workers_with_role(self._runs):
            role, _, process = self._choose.choice(sorted(found, key=lambda one: one[:2]))
            if kill_process(process):
                self.deaths.count(role)

    def _kill_twice(self) -> None:
        """Kill all workers of one run at once, and one of them again soon after its restart.

        The second kill most likely hits it in its replay.
        """
        found = sorted(workers_with_role(self._runs), key=lambda one: one[:2])
        if not found:
            return
        _, run, _ = self._choose.choice(found)
        struck = [(role, process) for role, of, process in found if of == run]
        for role, process in struck:
            if kill_process(process):
                self.deaths.count(role)
        until, delay = time.monotonic() + 4, self._choose.uniform(0, 1)
        while time.monotonic() < until:
            time.sleep(0.1)
            again = [(role, p) for role, of, p in workers(self._runs) if of == run and role == struck[0][0]]
            if again:
                time.sleep(delay)
                if kill_process(again[0][1]):
                    self.deaths.count(again[0][0])
                return

    def _kill_and_forge(self) -> None:
        """Kill a trainer and forge a digest, so that the replay finds a difference and opens an attempt."""
        trainers = [
            (run, process) for role, run, process in workers_with_role(self._runs) if role == "trainer"
        ]
        if not trainers or self._choose.random() < 0.5:
            return
        run_id, process = self._choose.choice(sorted(trainers, key=lambda one: one[0]))
        run = self._run_store.find(run_id)
        if not kill_process(process):
            return
        self.deaths.count("trainer")
        wait_until_gone([process])
        try:
            with RoleLock(run.path, "trainer"):
                self._forge_digest(run)
        except (RoleTakenError, FileNotFoundError):
            return

    def _forge_digest(self, run: RunFolder) -> None:
        with MatrixHistory(run) as history:
            line, (_, last) = history.steps.lineage(), history.steps.newest_step()
        if last < 2 or read_status(run).has_ended:
            return
        near = max(1, last - 30) if self._choose.random() < 0.6 else 1
        step = self._choose.randint(near, last)
        for path in run.checkpoints.glob("*.safetensors"):
            at, attempt = int(path.name[:10]), int(path.name[11:15])
            # A checkpoint at or after the forged step would be resumed from, and the step never computed
            # again.
            if at >= step or not line.counts(attempt, at):
                path.unlink()
        connection = apsw.Connection(str(run.steps_path))
        connection.set_busy_timeout(10_000)
        where = step_key(line.attempt_at(step), step)
        connection.execute("UPDATE pulses SET digest=? WHERE id=?", (FORGED, where))
        connection.close()
        self.forgeries[run.id] = self.forgeries.get(run.id, 0) + 1

    def _export(self) -> None:
        """Start an export that dies at a failpoint, or is killed from outside."""
        runs = [run for run in self.runs if run.id not in self._passed and newest_step(run) > 0]
        if not runs:
            return
        run, format = self._choose.choice(runs), FORMATS[self.exported % len(FORMATS)]
        self.exported += 1
        out = self.folder / "exports" / f"{self.exported:04d}"
        armed = f"{self._choose.choice(PLACES['export'])}:1:0.2"
        if "export" not in self.plan.missing(self.deaths) and self._choose.random() < 0.5:
            armed = ""
        exporter = Exporter(run, format, out, newest_step(run), armed)
        self._exporters.append(exporter)
        if not armed:
            time.sleep(self._choose.uniform(0.2, 1.5))
            if exporter.process.poll() is None:
                exporter.process.kill()
                self.deaths.count("exporter")

    def _collect(self) -> None:
        """Check the files that the exporters left."""
        for exporter in self._exporters:
            code, said = exporter.wait()
            self.deaths.count_reported("exporter", said)
            if code not in (0, -9) and not re.search(
                r"was not kept exactly|has no step|has no map yet", said
            ):
                self.faults.half_visible.append(f"{exporter.format} ended with {code}: {said.strip()[-300:]}")
            if code == 0 and not exporter.out.exists():
                self.faults.lost.append(f"the {exporter.format} said to be made is not there")
            if problem := exporter.problem(self.reference, self.folder / "scratch"):
                self.faults.half_visible.append(problem)
        self._exporters.clear()

    def _audit(self) -> None:
        """Audit every run; no process may write any of them."""
        for run in self.runs:
            if run.id not in self._passed:
                over = self._over(run) and not unsealed_roles(run)
                found = audit(
                    run, self.reference, self._observer.seen(run), self.forgeries.get(run.id, 0), over=over
                )
                self.faults.extend(found)
                self.audits += 1
                if over:
                    self._passed.add(run.id)
        for fault in self.faults.lost + self.faults.half_visible + self.faults.mixed:
            if fault not in self._said:
                self.log(fault)
                self._said.add(fault)

    def _finish_all_runs(self) -> None:
        """Run a server without kills until every run is finished, sealed, listed and readable."""
        self._passed.clear()
        self._observer.watch(self.runs)
        with Application(self._runs, "serve") as server:
            deadline = time.monotonic() + _PATIENCE
            while not all(phase_of(run) == "finished" for run in self.runs):
                if time.monotonic() > deadline:
                    states = {run.id: phase_of(run) for run in self.runs}
                    self.faults.lost.append(f"not all came back: {states}; {server.get('/api/session')}")
                    break
                time.sleep(0.1)
            self.deaths.read_logs(self.runs)
            for item in server.get("/api/runs")["items"]:
                if not item["readable"]:
                    self.faults.half_visible.append(
                        f"{item['id']} is listed as unreadable: {item['problem']}"
                    )
            for run in self.runs:
                with MatrixHistory(run) as history:
                    line = history.steps.lineage()
                for item in server.get(f"/api/runs/{run.id}/layouts")["items"]:
                    if not line.counts(item["attempt"], item["step"]):
                        self.faults.mixed.append(f"{run.id}: a superseded layout counts: {item}")
        self._audit()
