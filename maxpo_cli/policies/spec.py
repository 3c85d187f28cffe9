"""Policy specs: `name:key=value,key=value`, a list's items separated by `/`."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from maxpo_cli.errors import InputError, unknown
from maxpo_cli.policies.gaussian import Gaussian
from maxpo_cli.policies.logged import Logged
from maxpo_cli.policies.tabular import Bernoulli, Categorical
from maxpo_cli.policies.text import number

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
    """One key of a spec: how its value is read, and in words what it should be.

    `required` keys may be left out where the key `unless` is given. A `ranged` key takes numbers
    between two others, and a `whole` one only whole numbers.
    """

    read: Callable[[str], Any]
    kind: str
    required: bool = False
    unless: str = ""
    ranged: bool = False
    whole: bool = False

    def value(self, text: str, what: str) -> Any:
        """The value of a text; raises `InputError` naming `what` where it is of another kind."""
        try:
            return self.read(text)
        except ValueError:
            raise InputError(f"{what} must be {self.kind}; got '{text}'") from None


REAL = Key(_real, "a number", ranged=True)
WHOLE = Key(int, "a whole number", ranged=True, whole=True)
TEXT = Key(str, "a name")


def _categorical(values: dict[str, Any]) -> Categorical:
    if "p" in values:
        values = {"rewards": (0.0, 1.0)} | values | {"probs": _two(values)}
    outcomes = values.get("outcomes", (1,))
    if len(outcomes) == 1:
        outcomes *= len(values["rewards"])
    return Categorical(values["rewards"], values["probs"], outcomes)


def _two(values: dict[str, Any]) -> tuple[float, float]:
    """The probabilities 1 − p and p of two rewards; 1 − p in as few digits as p."""
    p = values["p"]
    if "probs" in values:
        raise InputError("categorical: give p or probs, not both")
    if len(values.get("rewards", (0, 1))) != 2:
        raise InputError("categorical: p is the probability of the second of two rewards")
    if not 0 <= p <= 1:
        raise InputError(f"categorical: p must be between 0 and 1; got {number(p)}")
    return float(1 - Decimal(repr(p))), p


KINDS: dict[str, tuple[dict[str, Key], Callable[[dict[str, Any]], Policy]]] = {
    "bernoulli": (
        {"p": Key(_real, "a number", required=True, ranged=True)},
        lambda values: Bernoulli(**values),
    ),
    "categorical": (
        {
            "rewards": Key(_reals, "numbers separated by '/'", required=True, unless="p"),
            "probs": Key(_reals, "numbers separated by '/'", required=True, unless="p"),
            "p": REAL,
            "outcomes": Key(_counts, "whole numbers separated by '/'", ranged=True, whole=True),
        },
        _categorical,
    ),
    "gaussian": (
        {
            "mean": REAL,
            "std": REAL,
            "reward": TEXT,
            "learn": TEXT,
            "dim": WHOLE,
            "c": REAL,
            "a": REAL,
            "f": REAL,
        },
        lambda values: Gaussian(**values),
    ),
}


@dataclass(frozen=True)
class PolicyTemplate:
    """A policy spec some of whose keys are still to be given, as `name` and `texts` by key."""

    name: str
    texts: tuple[tuple[str, str], ...]

    @property
    def spec(self) -> str:
        """The template as a spec string."""
        texts = ",".join(f"{key}={text}" for key, text in self.texts)
        return f"{self.name}:{texts}" if texts else self.name

    @property
    def keys(self) -> dict[str, Key]:
        """The keys that this policy knows."""
        return KINDS[self.name][0]

    def without(self, names: Collection[str]) -> "PolicyTemplate":
        """The template without these keys."""
        return PolicyTemplate(self.name, tuple(item for item in self.texts if item[0] not in names))

    def at(self, given: Mapping[str, str]) -> Policy:
        """The policy with these texts by key, which win over those of the template.

        Raises `InputError` for a key that is missing, and a value that is not of its kind or out of
        its range.
        """
        keys, build = KINDS[self.name]
        values = {
            key: keys[key].value(text, f"policy '{self.name}': {key}")
            for key, text in (dict(self.texts) | dict(given)).items()
        }
        missing = [
            name
            for name, key in keys.items()
            if key.required and not {name, key.unless} & values.keys()
        ]
        if missing:
            example = EXAMPLES[self.name]
            raise InputError(f"policy '{self.name}' needs {' and '.join(missing)}: {example}")
        return build(values)


def read_template(text: str) -> PolicyTemplate:
    """The template of a spec string.

    Raises `InputError` for an unknown policy or key, and a key given twice.
    """
    name, _, rest = text.partition(":")
    name = name.strip()
    if name not in KINDS:
        raise unknown("policy", name, KINDS)
    texts: dict[str, str] = {}
    for item in rest.split(",") if rest.strip() else []:
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals:
            raise InputError(f"policy '{name}': expected key=value, got '{item.strip()}'")
        if key not in KINDS[name][0]:
            raise unknown(f"key of policy {name}", key, KINDS[name][0])
        if key in texts:
            raise InputError(f"policy '{name}': the key {key} is given twice")
        texts[key] = value
    return PolicyTemplate(name, tuple(texts.items()))


def parse_policy(text: str) -> Policy:
    """The policy of a whole spec string; raises `InputError` as `PolicyTemplate.at` does."""
    return read_template(text).at({})


EXAMPLES = {
    "bernoulli": "bernoulli:p=0.1",
    "categorical": "categorical:rewards=0/0.5/1,probs=0.6/0.3/0.1,outcomes=1",
    "gaussian": "gaussian:mean=0,std=1,reward=identity,learn=mean",
}
"""One working spec a policy, for help and errors."""
