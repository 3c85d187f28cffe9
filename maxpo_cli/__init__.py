"""maxpo: choose, check and understand max@K advantage estimators.

`from maxpo_cli import advantages` is the Python entry; the command line is `maxpo`.
Importing this package does not import torch: names load when they are first used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maxpo_cli.errors import InputError
    from maxpo_cli.estimators.api import advantages

__version__ = "0.1.0"
__all__ = ["InputError", "__version__", "advantages"]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    if name == "advantages":
        from maxpo_cli.estimators.api import advantages

        return advantages
    if name == "InputError":
        from maxpo_cli.errors import InputError

        return InputError
    raise AttributeError(f"module 'maxpo_cli' has no attribute '{name}'")
