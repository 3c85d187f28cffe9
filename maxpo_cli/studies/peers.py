"""Advantage functions of the user: found by name, run on groups, and identified."""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from maxpo_cli.errors import InputError
from maxpo_cli.estimators.api import advantages
from maxpo_cli.estimators.lookup import CATALOGUE

SAME = 1e-4
"""Share of the largest advantage up to which two differ by rounding, that of float32 included."""

PROBES = 256
"""Groups of each kind that a peer is compared on."""


@dataclass(frozen=True)
class Peer:
    """A function of rewards `[groups, N]` and K, or of `[N]` and K, that gives their advantages.

    K may be left out. `name` is MODULE:FUNCTION.
    """

    name: str
    function: Callable[..., object]
    takes_k: bool
    by_group: bool = False

    def __call__(self, rewards: Tensor, k: int) -> Tensor:
        """The advantages of groups `[groups, N]`.

        Raises `InputError` with what the function raises, be it that it leaves the program, and
        where it gives anything but a number per reward.
        """
        more = (k,) if self.takes_k else ()
        try:
            if self.by_group:
                each = [torch.as_tensor(self.function(group, *more)) for group in rewards]
                found = torch.stack(each)
            else:
                found = torch.as_tensor(self.function(rewards, *more))
        except (Exception, SystemExit) as error:
            raise self._refusal(rewards, k, f"{type(error).__name__}: {error}") from None
        if found.shape != rewards.shape or found.is_complex():
            kind = "complex numbers" if found.is_complex() else "an array"
            raise self._refusal(rewards, k, f"it gives {kind} of shape {list(found.shape)}")
        return found

    def fitted(self, rewards: Tensor, k: int) -> "Peer":
        """This peer as it takes these rewards: all groups at once, or group by group.

        Raises `InputError` where it takes neither.
        """
        refusals = []
        for by_group in (False, True):
            peer = Peer(self.name, self.function, self.takes_k, by_group)
            try:
                found, alone = peer(rewards.clone(), k), peer(rewards[:1].clone(), k)
            except InputError as error:
                refusals.append(error)
                continue
            if torch.allclose(found[:1].double(), alone.double(), SAME, SAME, equal_nan=True):
                return peer
            reason = "what it gives for a group depends on the others"
            refusals.append(self._refusal(rewards, k, reason))
        raise refusals[0]

    def _refusal(self, rewards: Tensor, k: int, reason: str) -> InputError:
        groups, n = rewards.shape
        return InputError(
            f"--peer {self.name} cannot be used on {groups} groups of {n} rewards with k={k}: "
            f"{reason}"
        )

    def resemblance(self, n: int, k: int, seed: int) -> str:
        """Which catalogue estimators it equals, up to a factor, on groups with and without ties."""
        generator = torch.Generator().manual_seed(seed)
        apart = torch.randn(PROBES, n, generator=generator, dtype=torch.float64)
        tied = torch.randint(0, 3, (PROBES, n), generator=generator).double()
        binary = torch.randint(0, 2, (PROBES, n), generator=generator).double()
        found = {}
        for name, estimator in CATALOGUE.items():
            if not estimator.trainable or estimator.refusal(n, k, binary=True):
                continue
            probes = (binary,) if estimator.claims.binary_only else (apart, tied)
            factors = [_factor(self(p.clone(), k).double(), advantages(name, p, k)) for p in probes]
            if factors[0] is None:
                continue
            times = "" if abs(factors[0] - 1) < SAME else f"{factors[0]:.4g} × "
            same = all(f is not None and abs(f / factors[0] - 1) < SAME for f in factors)
            found[f"{times}{name}"] = same
        found = dict(sorted(found.items(), key=lambda item: "×" in item[0]))
        named = [name for name, same in found.items() if same]
        but_for_ties = [name for name, same in found.items() if not same]
        if named:
            return f"equals {', '.join(named)}"
        if but_for_ties:
            return f"equals {', '.join(but_for_ties)}, but not on ties"
        return "equals no estimator of the catalogue"


def find_peer(name: str) -> Peer:
    """The function MODULE:FUNCTION, from what is installed or the current folder.

    Raises `InputError` where there is none.
    """
    module_name, colon, path = name.partition(":")
    if not colon or not module_name or not path:
        raise InputError(f"--peer takes MODULE:FUNCTION; got '{name}'")
    try:
        with _this_folder_first():
            found: object = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise InputError(f"--peer {name}: {type(error).__name__}: {error}") from None
    for part in path.split("."):
        if not hasattr(found, part):
            raise InputError(f"--peer {name}: {module_name} has no {path}")
        found = getattr(found, part)
    if not callable(found):
        raise InputError(f"--peer {name} is not a function")
    return Peer(name, found, _takes_k(found))


@contextmanager
def _this_folder_first() -> Iterator[None]:
    """Modules come from the current folder first; from then on it is searched last.

    What is loaded later is thus what is installed, whatever the names of the files here.
    """
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
        if here not in sys.path:
            sys.path.append(here)


def _takes_k(function: Callable[..., object]) -> bool:
    """Whether there is a second argument for K; assumed where a signature cannot be read."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    several = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)
    named = [p for p in parameters if p.kind in kinds]
    return several or (
        len(named) > 1 and (named[1].name == "k" or named[1].default is named[1].empty)
    )


def _factor(found: Tensor, known: Tensor) -> float | None:
    """The c of found = c · known, c > 0; None where there is none."""
    norm = float((known * known).sum())
    factor = float((found * known).sum()) / norm if norm > 0 else 0.0
    if factor <= 0:
        return None
    off = float((found - factor * known).abs().max())
    return factor if off <= SAME * float(found.abs().max()) else None
