"""Policy specs: `name:key=value,key=value`, a list's items separated by `/`."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from maxpo_cli.errors import InputError, unknown
from maxpo_cli.policies.gaussian import Gaussian
from maxpo_cli.policies.logged import Logged
from maxpo_cli.policies.tabular import Bernoulli, Categorical

Policy = Bernoulli | Categorical | Gaussian | Logged


def _real(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _reals(text: str) -> tuple[float, ...]:
    return tuple(_real(item) for item in text.split("/"))


def _counts(text: str) -> tuple[int, ...]:
    return tuple(int(item) for item in text.split("/"))


@dataclass(frozen=True)
class Key:
    """One key of a spec: how its value is read, and in words what it should be."""

    read: Callable[[str], Any]
    kind: str
    required: bool = False


REAL = Key(_real, "a number")
TEXT = Key(str, "a name")


def _categorical(values: dict[str, Any]) -> Categorical:
    outcomes = values.get("outcomes", (1,))
    if len(outcomes) == 1:
        outcomes *= len(values["rewards"])
    return Categorical(values["rewards"], values["probs"], outcomes)


KINDS: dict[str, tuple[dict[str, Key], Callable[[dict[str, Any]], Policy]]] = {
    "bernoulli": (
        {"p": Key(_real, "a number", required=True)},
        lambda values: Bernoulli(**values),
    ),
    "categorical": (
        {
            "rewards": Key(_reals, "numbers separated by '/'", required=True),
            "probs": Key(_reals, "numbers separated by '/'", required=True),
            "outcomes": Key(_counts, "whole numbers separated by '/'"),
        },
        _categorical,
    ),
    "gaussian": (
        {
            "mean": REAL,
            "std": REAL,
            "reward": TEXT,
            "learn": TEXT,
            "dim": Key(int, "a whole number"),
            "c": REAL,
            "a": REAL,
            "f": REAL,
        },
        lambda values: Gaussian(**values),
    ),
}


def parse_policy(text: str) -> Policy:
    """The policy of a spec string.

    Raises `InputError` for an unknown policy or key, a key given twice or missing, and a value that
    is not of its kind or out of its range.
    """
    name, _, rest = text.partition(":")
    name = name.strip()
    if name not in KINDS:
        raise unknown("policy", name, KINDS)
    keys, build = KINDS[name]
    values: dict[str, Any] = {}
    for item in rest.split(",") if rest.strip() else []:
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals:
            raise InputError(f"policy '{name}': expected key=value, got '{item.strip()}'")
        if key not in keys:
            raise unknown(f"key of policy {name}", key, keys)
        if key in values:
            raise InputError(f"policy '{name}': the key {key} is given twice")
        try:
            values[key] = keys[key].read(value)
        except ValueError:
            raise InputError(
                f"policy '{name}': {key} must be {keys[key].kind}; got '{value}'"
            ) from None
    missing = [key for key, spec in keys.items() if spec.required and key not in values]
    if missing:
        raise InputError(f"policy '{name}' needs {' and '.join(missing)}: {EXAMPLES[name]}")
    return build(values)


EXAMPLES = {
    "bernoulli": "bernoulli:p=0.1",
    "categorical": "categorical:rewards=0/0.5/1,probs=0.6/0.3/0.1,outcomes=1",
    "gaussian": "gaussian:mean=0,std=1,reward=identity,learn=mean",
}
"""One working spec a policy, for help and errors."""
