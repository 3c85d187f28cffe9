"""What the tests of the commands share."""

from collections.abc import Iterator

import pytest
from forks import Forks


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """One process for all tests of a worker, whose forks run the command line."""
    found = Forks(tmp_path_factory.mktemp("forks"))
    yield found
    found.close()
