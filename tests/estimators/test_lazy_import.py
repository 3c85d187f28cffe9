"""Importing the package stays light."""

import subprocess
import sys

import pytest

import maxpo_cli


@pytest.mark.parametrize(
    "statement",
    ["import maxpo_cli; maxpo_cli.__version__", "from maxpo_cli import InputError"],
)
def test_importing_the_package_does_not_import_torch(statement: str) -> None:
    script = f"{statement}\nimport sys; print('maxpo_cli' in sys.modules, 'torch' in sys.modules)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_every_public_name_of_the_package_can_be_had() -> None:
    assert all(hasattr(maxpo_cli, name) for name in maxpo_cli.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        maxpo_cli.nothing  # noqa: B018
