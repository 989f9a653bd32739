"""Starts workers by forking a process that has already imported their libraries.

Importing torch or umap takes a core a second or more, and the tests start about 130 workers. A forked worker
is still a separate process that runs the `main` of its package, as `python -m lamplighter.training.worker`
does: it has its own signals, locks, standard error and exit code. The commands themselves are tested in
`integration/application`, in `integration/deployment` and wherever a supervisor starts workers.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any, NoReturn

PRELOADED = {
    # A torch optimiser imports `torch._dynamo` at its first step, which takes as long as importing torch.
    "training": ("lamplighter.training.trainer", "lamplighter.training.corpus_setup", "torch._dynamo"),
    "projection": ("lamplighter.projection.projector_process", "umap"),
    "analysis": ("lamplighter.analysis.analyst",),
}
"""The modules that the workers of each package import."""

NO_THREADS = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "NUMBA", "MKL")} | {
    # The allocator of pyarrow, which umap imports.
    "JE_ARROW_MALLOC_CONF": "background_thread:false"
}
"""Environment that keeps libraries from starting threads: only single-threaded processes are forked."""

_templates: dict[str, tuple[subprocess.Popen[bytes], socket.socket]] = {}


class Worker:
    """A worker process with the methods of a `subprocess.Popen` whose standard error is a pipe."""

    def __init__(self, package: str, *words: str) -> None:
        """Start the worker of a package (`training`, say) with these command-line arguments."""
        errors, says_errors = os.pipe()
        status, says_status = os.pipe()
        request = {"words": words, "environment": dict(os.environ), "folder": os.getcwd()}
        try:
            socket.send_fds(_template(package), [json.dumps(request).encode()], [says_errors, says_status])
        finally:
            os.close(says_errors)
            os.close(says_status)
        self.stderr = os.fdopen(errors, "rb")
        self.returncode: int | None = None
        self._status = os.fdopen(status, "rb", buffering=0)
        self.pid = int(self._status.readline())

    def poll(self) -> int | None:
        """Return the exit code, or None while the worker runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the worker ends. Returns its exit code."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(["worker", str(self.pid)], timeout or 0)
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[None, bytes]:
        """Wait until the worker ends. Returns None and its standard error."""
        deadline = None if timeout is None else time.monotonic() + timeout
        said: list[bytes] = []
        # A worker that writes more than the pipe holds would block without a reader.
        reader = threading.Thread(target=lambda: said.append(self.stderr.read()), daemon=True)
        reader.start()
        self.wait(timeout)
        reader.join(None if deadline is None else max(1.0, deadline - time.monotonic()))
        self.stderr.close()
        return None, b"".join(said)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the worker has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def _template(package: str) -> socket.socket:
    """Return the socket of the process from which the workers of a package are forked.

    Start it if necessary.
    """
    if package not in _templates:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", __name__, package, str(theirs.fileno())]
            template = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=os.environ | NO_THREADS)
            _templates[package] = template, ours
    return _templates[package][1]


@atexit.register
def _close_templates() -> None:
    for process, line in _templates.values():
        line.close()
        process.wait(20)


def _serve(package: str, requests: socket.socket) -> list[str]:
    """Fork a worker per request until the socket closes. Returns only in a worker: its command-line arguments."""
    # Ctrl-C in a terminal also goes to pytest, which ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        data, descriptors, _, _ = socket.recv_fds(requests, 1 << 20, 2)
        if not data:
            os._exit(0)
        if os.fork():
            for descriptor in descriptors:
                os.close(descriptor)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        requests.close()
        errors, status = descriptors
        worker = os.fork()
        if worker:
            os.close(errors)
            _report_exit(worker, status)
        os.close(status)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(errors, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        request: dict[str, Any] = json.loads(data)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        return request["words"]


def _report_exit(worker: int, status: int) -> NoReturn:
    os.write(status, f"{worker}\n".encode())
    _, code = os.waitpid(worker, 0)
    with suppress(BrokenPipeError):  # the waiting process may have gone
        os.write(status, f"{os.waitstatus_to_exitcode(code)}\n".encode())
    os._exit(0)


def _main(package: str, descriptor: str) -> int:
    if package == "projection":
        from lamplighter.projection.worker import prepare_environment

        prepare_environment()
    for name in PRELOADED[package]:
        importlib.import_module(name)
    main = importlib.import_module(f"lamplighter.{package}.worker").main
    # The collector would otherwise write to, and so copy, the pages that workers share.
    gc.freeze()
    assert len(os.listdir("/proc/self/task")) == 1, "a forked worker would lack the other threads"
    sys.argv[1:] = _serve(package, socket.socket(fileno=int(descriptor)))
    return main()


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
