from itertools import pairwise

import numpy as np
import pytest
from oracles.gaussian import reward_at

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError
from maxpo_cli.policies.reward_functions import REWARD_KEYS, REWARDS, Reward

CASES = (
    ("identity", 0.0, 1.0, 5.0),
    ("exp", 0.0, 1.0, 5.0),
    ("quadratic", 0.7, 1.0, 5.0),
    ("clipped-square", 0.0, 1.0, 5.0),
    ("threshold", -0.4, 1.0, 5.0),
    ("quad-sin", 0.0, 1.0, 5.0),
    ("quad-sin", 0.3, -2.0, 3.0),
    ("quad-sin", -1.0, 1.0, -5.0),
    ("quad-sin", 0.0, 0.1, 2.0),  # a f² < 2: one turning point
    ("quad-sin", 0.0, 1.0, 2**0.5),  # a f² = 2
    ("quad-sin", 0.5, 0.0, 3.0),
    ("quad-sin", 0.5, 2.0, 0.0),
    ("quad-sin", 20.0, 30.0, 1.0),
    ("quad-sin", 200.0, 10.0, 1.0),
)
every_reward = pytest.mark.parametrize("case", CASES, ids=str)
X = np.concatenate([np.linspace(-4, 4, 401), [-1.0, 0.0, 1.0, 17.0, 25.0, 198.0, 203.0]]) + 1e-3


def reward_of(case: tuple[str, float, float, float]) -> Reward:
    name, c, a, f = case
    return REWARDS[name](c=c, a=a, f=f)


def by_hand(case: tuple[str, float, float, float], x: FloatArray) -> FloatArray:
    name, c, a, f = case
    return reward_at(name, x, c, a, f)


@every_reward
def test_values_are_the_documented_formulas(case: tuple[str, float, float, float]) -> None:
    np.testing.assert_allclose(reward_of(case).at(X), by_hand(case, X), rtol=1e-12, atol=1e-12)


@every_reward
def test_pieces_cover_the_line_without_overlap(case: tuple[str, float, float, float]) -> None:
    pieces = reward_of(case).pieces
    assert pieces[0].left == -np.inf
    assert pieces[-1].right == np.inf
    for before, after in pairwise(pieces):
        assert before.right == after.left
    assert all(piece.left < piece.right for piece in pieces)


@every_reward
def test_split_intervals_hold_exactly_the_points_above_and_below_a_threshold(
    case: tuple[str, float, float, float],
) -> None:
    reward = reward_of(case)
    values = by_hand(case, X)
    thresholds = np.quantile(values, [0.02, 0.2, 0.37, 0.6, 0.81, 0.99]) + 1.7e-4
    far = np.array([values.min() - 1, values.max() + 1, 0.0, 1.0])
    thresholds = np.concatenate([thresholds, far])

    def inside(intervals: FloatArray) -> np.ndarray:
        low, high = intervals[:, :1], intervals[:, 1:]
        return (low < X) & (high >= X)

    above, below = np.zeros((2, len(thresholds), len(X)), dtype=int)
    for piece in reward.pieces:
        over, under = piece.split(thresholds)
        above += inside(over)
        below += inside(under)
    np.testing.assert_array_equal(above, values > thresholds[:, None])
    np.testing.assert_array_equal(below, values <= thresholds[:, None])


@pytest.mark.parametrize("case", [case for case in CASES if case[0] == "quad-sin"], ids=str)
def test_quad_sin_has_a_piece_between_any_two_turns(
    case: tuple[str, float, float, float],
) -> None:
    _, c, a, f = case
    x = c + np.linspace(-20, 20, 400_000)
    slope = np.sign(-2 * (x - c) + a * f * np.cos(f * x))
    turns = int((slope[:-1] * slope[1:] < 0).sum())
    assert len(reward_of(case).pieces) == turns + 1


@every_reward
def test_corners_are_the_rewards_where_pieces_end(case: tuple[str, float, float, float]) -> None:
    reward = reward_of(case)
    assert list(reward.corners) == sorted(set(reward.corners))
    assert np.isfinite(reward.corners).all()
    for piece in reward.pieces[:-1]:
        if piece.inverse is not None:
            assert piece.end in reward.corners
            assert float(by_hand(case, np.array(piece.right))) == pytest.approx(
                piece.end, abs=1e-12
            )


def test_too_many_turning_points_are_refused() -> None:
    with pytest.raises(InputError, match="turns more than 200 times"):
        REWARDS["quad-sin"](c=0.0, a=1.0, f=500.0)
    with pytest.raises(InputError, match="take a smaller a, f or std"):
        REWARDS["quad-sin"](c=0.0, a=1e6, f=100.0)


def test_every_reward_says_which_keys_it_reads() -> None:
    assert set(REWARD_KEYS) == set(REWARDS)
    for name, read in REWARD_KEYS.items():
        plain = {"c": 0.1, "a": 1.0, "f": 5.0}
        for key in plain:
            other = REWARDS[name](**{**plain, key: 0.35}).at(X)
            assert (other != REWARDS[name](**plain).at(X)).any() == (key in read), (name, key)
