"""maxpo: choose, check and understand max@K advantage estimators.

`advantages` gives the advantages of rewards; `compare` and `sweep` measure estimators and give
pandas tables. The command line is `maxpo`. Importing this package does not import torch: names load
when they are first used.
"""

from importlib import import_module

TYPE_CHECKING = False  # so that the module of this name, which is slow to load, is not needed
if TYPE_CHECKING:
    from maxpo_cli.errors import InputError
    from maxpo_cli.estimators.api import advantages
    from maxpo_cli.studies.api import StudyResult, compare, sweep

__version__ = "0.2.0"
__all__ = ["InputError", "StudyResult", "__version__", "advantages", "compare", "sweep"]

_HOMES = {
    "InputError": "maxpo_cli.errors",
    "advantages": "maxpo_cli.estimators.api",
    "StudyResult": "maxpo_cli.studies.api",
    "compare": "maxpo_cli.studies.api",
    "sweep": "maxpo_cli.studies.api",
}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'maxpo_cli' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
