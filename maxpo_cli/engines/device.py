"""Where torch computes: the device, and how many threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from maxpo_cli.errors import InputError


def find_device(name: str) -> torch.device:
    """The torch device of `auto`, `cpu`, `cuda` or `cuda:i`; `InputError` where it is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdigit()) or name == "cpu:":
        raise InputError(f"--device must be auto, cpu, cuda or cuda:i; got '{name}'")
    if kind == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise InputError("--device cuda: torch finds no CUDA device here; use --device cpu")
    if index and int(index) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise InputError(f"--device {name}: there are {count} CUDA devices, numbered from 0")
    return torch.device(name)


@contextmanager
def one_thread() -> Iterator[None]:
    """Gives torch one CPU thread: the engines work on tensors that stay in a core's cache.

    Threads that synchronise after every such operation gain little, and where another process wants
    a core too, waiting for each other made them ten to a hundred times slower.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
