"""What the files of figures are called: after the kind, and after what is not as by default."""

import re
from collections.abc import Iterable
from hashlib import sha256

LONGEST = 100
"""Characters of a name, without the ending."""

KEPT = 7
"""Characters that a dash and a hash take."""


def file_stem(begin: str, details: Iterable[str] = ()) -> str:
    """A file name without an ending: letters, digits, dots, underscores and dashes.

    Other characters become dashes, and an equals sign is left out; a hash ends a name that is cut,
    or that another text could have too.
    """
    text = "-".join([begin, *details])
    plain = text.replace("=", "")
    name = re.sub(r"[^A-Za-z0-9._]+|\.{2,}", "-", plain).strip("-.")
    if name != plain or len(name) > LONGEST:
        digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[: KEPT - 1]
        name = f"{name[: LONGEST - KEPT].rstrip('-.')}-{digest}"
    return name
