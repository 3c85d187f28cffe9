"""Policy specs: `name:key=value,key=value`, a list's items separated by `/`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

from maxpo_cli.errors import InputError, unknown
from maxpo_cli.policies import kinds
from maxpo_cli.policies.policy import Key, Policy, PolicyKind


def _found_kinds() -> dict[str, PolicyKind]:
    """The `KIND` of every module in `policies/kinds`, by name."""
    modules = (
        import_module(f"{kinds.__name__}.{each.name}") for each in iter_modules(kinds.__path__)
    )
    found: list[PolicyKind] = [module.KIND for module in modules]
    return {kind.name: kind for kind in found}


KINDS: Mapping[str, PolicyKind] = _found_kinds()


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
    def source(self) -> str:
        """What the policies come from: the name of their kind."""
        return self.name

    @property
    def parameters(self) -> dict[str, str]:
        """The texts that are given, by key, and defaults that results name all the same."""
        given = dict(self.texts)
        missing = {name: key for name, key in self.keys.items() if name not in given}
        return given | {name: key.default for name, key in missing.items() if key.default}

    @property
    def keys(self) -> Mapping[str, Key]:
        """The keys that this kind of policies has."""
        return KINDS[self.name].keys

    def without(self, names: Collection[str]) -> "PolicyTemplate":
        """The template without these keys."""
        return PolicyTemplate(self.name, tuple(item for item in self.texts if item[0] not in names))

    def at(self, given: Mapping[str, str]) -> Policy:
        """The policy with these texts by key, which win over those of the template.

        Raises `InputError` for a key that is missing, and a value that is not of its kind or out of
        its range.
        """
        kind = KINDS[self.name]
        values = {
            key: kind.keys[key].value(text, f"policy '{self.name}': {key}")
            for key, text in (dict(self.texts) | dict(given)).items()
        }
        missing = [
            name
            for name, key in kind.keys.items()
            if key.required and not {name, key.unless} & values.keys()
        ]
        if missing:
            needed = " and ".join(missing)
            raise InputError(f"policy '{self.name}' needs {needed}: {kind.example}")
        return kind.build(values)


def read_template(text: str) -> PolicyTemplate:
    """The template of a spec string.

    Raises `InputError` for an unknown policy or key, and a key given twice.
    """
    name, _, rest = text.partition(":")
    name = name.strip()
    if name not in KINDS:
        raise unknown("policy", name, KINDS)
    keys = KINDS[name].keys
    texts: dict[str, str] = {}
    for item in rest.split(",") if rest.strip() else []:
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals:
            raise InputError(f"policy '{name}': expected key=value, got '{item.strip()}'")
        if key not in keys:
            raise unknown(f"key of policy {name}", key, keys)
        if key in texts:
            raise InputError(f"policy '{name}': the key {key} is given twice")
        texts[key] = value
    return PolicyTemplate(name, tuple(texts.items()))


def parse_policy(text: str) -> Policy:
    """The policy of a whole spec string; raises `InputError` as `PolicyTemplate.at` does."""
    return read_template(text).at({})
