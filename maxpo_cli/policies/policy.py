"""The protocol of policies, and what a kind of policies says of its spec: name, keys, example."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from maxpo_cli.errors import InputError
from maxpo_cli.problems.problem import Problem


class Policy(Protocol):
    """A policy: one or several problems, each with parameters of its own.

    Objectives, squared norms and variances add up over the problems.
    """

    @property
    def spec(self) -> str:
        """The policy as its canonical spec string."""

    @property
    def note(self) -> str:
        """What a reader must know of how it was taken; empty where there is nothing."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems, the same objects each time; equal ones may be one object."""


@dataclass(frozen=True)
class Key:
    """One key of a spec.

    Attributes:
        read: gives the value of a text; raises `ValueError` for a text of another kind.
        kind: what a value is, in words, as in "p must be KIND".
        meaning: what the key says about the policy, in one line for help.
        required: whether a spec needs it, unless it has the key `unless`.
        ranged: whether it can be swept over a range between two numbers.
        whole: whether the numbers of such a range are whole.
        default: what a spec without the key means, where results are to name it all the same.
    """

    read: Callable[[str], Any]
    kind: str
    meaning: str = ""
    required: bool = False
    unless: str = ""
    ranged: bool = False
    whole: bool = False
    default: str = ""

    def value(self, text: str, what: str) -> Any:
        """The value of a text; raises `InputError` naming `what` where it is of another kind."""
        try:
            return self.read(text)
        except ValueError:
            raise InputError(f"{what} must be {self.kind}; got '{text}'") from None


def _real(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _reals(text: str) -> tuple[float, ...]:
    return tuple(_real(item) for item in text.split("/"))


REAL = Key(_real, "a number", ranged=True)
REALS = Key(_reals, "numbers separated by '/'")
WHOLE = Key(int, "a whole number", ranged=True, whole=True)
TEXT = Key(str, "a name")


@dataclass(frozen=True)
class PolicyKind:
    """A kind of policies, as specs name it.

    Attributes:
        name: the name before the colon of a spec.
        keys: its keys, by name.
        build: gives the policy of the values by key; raises `InputError` for values that are out of
            range or exclude each other.
        example: a working spec, for help and errors.
        summary: what it is, in one line for help.
    """

    name: str
    keys: Mapping[str, Key]
    build: Callable[[Mapping[str, Any]], Policy]
    example: str
    summary: str
