"""One CPU thread per process in every test, because two cores are shared with workers and a browser."""

from __future__ import annotations

import os

import pytest

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
