"""Loads matplotlib as it is by default: no file or variable of the user's changes a figure.

Imported before anything that imports matplotlib. On import, matplotlib reads a `matplotlibrc` of
the current folder, fails on an `MPLBACKEND` that it does not know, and makes a temporary folder
that nobody removes where the home folder cannot be written to.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

BACKEND, CONFIG = "MPLBACKEND", "MPLCONFIGDIR"


def load() -> None:
    """Imports matplotlib from an empty folder, unless it is there already."""
    if "matplotlib" in sys.modules:
        return
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with TemporaryDirectory(prefix="maxpo-", ignore_cleanup_errors=True) as folder:
        Path(folder, "matplotlibrc").touch()
        own: dict[str, str | None] = {BACKEND: None}
        if not _has_place():
            own[CONFIG] = folder
        with _environment(own), _inside(folder):
            import_module("matplotlib.font_manager")


def _has_place() -> bool:
    """Whether matplotlib can keep its list of fonts where it does by default."""
    given = os.environ.get(CONFIG)
    try:
        home = Path.home()
        if given:
            places = [Path(given)]
        elif sys.platform.startswith(("linux", "freebsd")):
            config = os.environ.get("XDG_CONFIG_HOME") or home / ".config"
            cache = os.environ.get("XDG_CACHE_HOME") or home / ".cache"
            places = [Path(config, "matplotlib"), Path(cache, "matplotlib")]
        else:
            places = [home / ".matplotlib"]
        for place in places:
            place.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return False
    return all(os.access(place, os.W_OK) for place in places)


@contextmanager
def _environment(values: dict[str, str | None]) -> Iterator[None]:
    """Environment variables with these values, None for none, as they were before afterwards."""
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)


def _set(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _inside(folder: str) -> AbstractContextManager[None]:
    """Being in a folder; where the current one could not be returned to, it is not left."""
    try:
        can_return = os.access(Path.cwd(), os.X_OK)
    except OSError:
        can_return = False
    return chdir(folder) if can_return else nullcontext()


load()
