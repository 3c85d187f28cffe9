"""`advantages`: one call for one estimator on the rewards a training loop holds."""

import operator
from numbers import Real
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.errors import InputError
from maxpo_cli.estimators.kinds import Estimator, needs_policy
from maxpo_cli.estimators.lookup import find
from maxpo_cli.estimators.sorted_groups import SortedGroups

Rewards = TypeVar("Rewards")

CPU_PASS = 1 << 18
"""How many rewards are worked on at once on a CPU: large enough for threads, small enough to stay
in memory that the allocator reuses."""


def advantages(name: str, rewards: Rewards, k: int | None = None) -> Rewards:
    """Advantages of groups of rewards under one estimator of the catalogue.

    Args:
        name: a catalogue name, as `maxpo estimators` lists them; all except the yardsticks, which
            need the policy's own distribution.
        rewards: `[..., N]`, N answers per group and any number of leading dimensions; a torch
            tensor on any device, a NumPy array, or a (nested) sequence of numbers.
        k: the K of max@K; may be left out for the estimators that take no K.

    Returns:
        The advantages A, in the order of `rewards` and of the same kind, shape and floating type (a
        list for a list, a tuple for a tuple). The gradient estimate that they stand for is
        ĝ = (K/N) Σ_i A_i ∇log π(x_i). Half-precision rewards are computed in float32, wider than
        float64 in float64. Integer and boolean rewards become torch's default float type, or
        float64 in NumPy and sequences. A group that holds a NaN or an infinity has NaN advantages;
        the other groups of the batch are as they would be without it. Rewards whose differences
        leave the range of their type are not supported. No autograd graph is recorded.

    Raises:
        InputError: the estimator is unknown, is not defined for this N and K (a group of one
            included, for most), or needs 0/1 rewards; the rewards have no group dimension, ragged
            rows or entries that are not real numbers.

    Source: the formula and paper of each estimator are in its catalogue entry.
    """
    estimator = find(name)
    if isinstance(rewards, Tensor):
        return cast(Rewards, _of_tensor(estimator, rewards, k))
    result = _of_tensor(estimator, torch.from_numpy(_as_array(rewards)), k).numpy()
    if isinstance(rewards, list | tuple):
        kind = tuple if isinstance(rewards, tuple) else list
        return cast(Rewards, kind(result.tolist()))
    return cast(Rewards, result)


def _as_array(rewards: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(rewards)
    except ValueError as error:
        raise InputError(f"rewards must be groups of one size: {error}") from error
    numbers = array.dtype.kind == "O" and all(isinstance(item, Real) for item in array.flat)
    wide = array.dtype.kind == "f" and array.itemsize > 8
    if array.dtype.kind in "bui" or numbers or wide:
        try:
            array = array.astype(np.float64)
        except OverflowError:
            raise InputError("rewards must be within the range of float64") from None
    if array.dtype.kind != "f":
        raise InputError(f"rewards must be real numbers; got an array of {array.dtype}")
    # A fresh native-order array: torch can neither share read-only nor foreign-endian memory.
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


def _of_tensor(estimator: Estimator, rewards: Tensor, k: int | None) -> Tensor:
    if rewards.ndim == 0:
        raise InputError("rewards must have a group dimension: [..., N]; got a single number")
    if rewards.is_complex():
        raise InputError("rewards must be real numbers; got a complex tensor")
    if not estimator.trainable:
        raise needs_policy(estimator.name)
    n = rewards.shape[-1]
    level = _checked_k(estimator, k)
    with torch.no_grad():
        if not rewards.is_floating_point():
            rewards = rewards.to(torch.get_default_dtype())
        binary = not estimator.claims.binary_only or _is_binary(rewards)
        refusal = estimator.refusal(n, level, binary)
        if refusal:
            raise InputError(refusal)
        half = rewards.dtype.itemsize < 4
        work = rewards.reshape(-1, n).to(torch.float32 if half else rewards.dtype)
        out = torch.empty_like(work)
        # On a CPU a fresh large block of memory costs more than the arithmetic done in it.
        rows = max(1, CPU_PASS // n if work.device.type == "cpu" else len(work))
        for start in range(0, len(work), rows):
            ascending, order = work[start : start + rows].sort(-1)
            ranked = estimator.advantages(SortedGroups(ascending), level)
            # 0, or NaN where the lowest or the highest reward (NaN sorts last) is not finite.
            finite = 0 * ascending[:, :1] + 0 * ascending[:, -1:]
            out[start : start + rows].scatter_(-1, order, ranked + finite)
        return out.to(rewards.dtype).reshape(rewards.shape)


def _checked_k(estimator: Estimator, k: int | None) -> int:
    if k is None:
        if estimator.claims.takes_k:
            raise InputError(f"{estimator.name} needs k, the K of max@K")
        return 1
    try:
        return operator.index(k)
    except TypeError:
        raise InputError(f"k must be a whole number; got {k!r}") from None


def _is_binary(rewards: Tensor) -> bool:
    allowed = (rewards == 0) | (rewards == 1) | ~rewards.isfinite()
    return bool(allowed.all())
