"""What the files of figures are called: after the kind, and after what is not as by default."""

import re
from collections.abc import Iterable

from maxpo_cli.storage.folder import HASH, with_hash

LONGEST = 100
"""Characters of a name, without the ending."""


def file_stem(begin: str, details: Iterable[str] = ()) -> str:
    """A file name without an ending: letters, digits, dots, underscores and dashes.

    Other characters become dashes, and an equals sign is left out; a hash ends a name that is cut,
    or that another text could have too.
    """
    text = "-".join([begin, *details])
    plain = text.replace("=", "")
    name = re.sub(r"[^A-Za-z0-9._]+|\.{2,}", "-", plain).strip("-.")
    if name != plain or len(name) > LONGEST:
        name = with_hash(name[: LONGEST - HASH].rstrip("-."), text)
    return name
