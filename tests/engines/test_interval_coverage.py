"""The quick form of `interval_coverage.py`, whose record over 1,000 seeds is committed."""

from dataclasses import replace

import pandas as pd
import pytest
from interval_coverage import FIGURES, RESULT, SETTINGS, Setting, coverage


@pytest.mark.parametrize("setting", [SETTINGS[0], SETTINGS[3]], ids=["bernoulli", "categorical"])
def test_95_percent_intervals_cover_the_exact_value_about_that_often(setting: Setting) -> None:
    found = coverage(replace(setting, groups=4096), range(200))
    assert set(found["figure"]) == set(FIGURES)
    # 4.5 standard deviations of 200 runs: a perfect interval fails once in 300,000 tries.
    assert found["covered"].between(0.88, 1).all(), found
    # Over-coverage shows in the mean: intervals twice too wide would cover 99.99%.
    assert found.groupby("figure")["covered"].mean().between(0.91, 0.985).all(), found


def test_the_record_over_1000_seeds_is_within_93_to_97_percent() -> None:
    record = pd.read_csv(RESULT)
    assert set(record["policy"]) == {setting.policy for setting in SETTINGS}
    assert (record["seeds"] == 1000).all()
    assert record["covered"].between(0.93, 0.97).all()
