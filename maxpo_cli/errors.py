"""The one error type that the command line turns into a sentence and exit status 2."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """What was asked for cannot be done; the message says what, where, and what would be right."""


def unknown(kind: str, given: str, known: Iterable[str]) -> InputError:
    """An error for a name that is not among `known`, with the nearest name when there is one."""
    choices = list(known)
    near = difflib.get_close_matches(given.lower(), choices, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(choices)}"
    return InputError(f"unknown {kind} '{given}'; {hint}")
