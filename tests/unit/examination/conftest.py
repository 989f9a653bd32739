"""The recorded village that the tests of the examiner ask."""

from __future__ import annotations

import pytest

from tests.unit.examination.village import Village, record_village


@pytest.fixture(scope="session")
def village(tmp_path_factory: pytest.TempPathFactory) -> Village:
    """Return a village that was trained once; tests must leave it as it is."""
    return record_village(tmp_path_factory.mktemp("village"))
