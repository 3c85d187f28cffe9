"""The records of the long validation scripts in `analyses/`, and the scripts on a small scale."""

from dataclasses import replace

import gaussian_agreement
import interval_coverage
import pandas as pd
import pytest
from interval_coverage import SETTINGS, Setting


@pytest.mark.parametrize("setting", [SETTINGS[0], SETTINGS[3]], ids=["bernoulli", "categorical"])
def test_95_percent_intervals_cover_the_exact_value_about_that_often(setting: Setting) -> None:
    found = interval_coverage.coverage(replace(setting, groups=4096), range(200))
    assert set(found["figure"]) == set(interval_coverage.METRICS)
    # 4.5 standard deviations of 200 runs: a perfect interval fails once in 300,000 tries.
    assert found["covered"].between(0.88, 1).all(), found
    # Over-coverage shows in the mean: intervals twice too wide would cover 99.99%.
    assert found.groupby("figure")["covered"].mean().between(0.91, 0.985).all(), found


def test_the_record_over_1000_seeds_is_within_93_to_97_percent() -> None:
    """A bias interval of a biased estimator may cover more: README.md says where."""
    record = pd.read_csv(interval_coverage.RESULT)
    assert set(record["policy"]) == {setting.policy for setting in SETTINGS}
    assert (record["seeds"] == 1000).all()
    bias = record["figure"] == "relative_bias"
    assert record["covered"][~bias].between(0.93, 0.97).all()
    assert record["covered"][bias].between(0.93, 0.99).all()
    assert (record["covered"][bias] > 0.97).sum() <= 5


def test_the_exact_and_the_sampled_metrics_of_the_record_of_10_million_groups_agree() -> None:
    """312 z-scores: one beyond 4.5 in 470 records of a right engine."""
    record = pd.read_csv(gaussian_agreement.RESULT)
    assert set(record["policy"]) == set(gaussian_agreement.POLICIES)
    assert set(record["estimator"]) == set(gaussian_agreement.ESTIMATORS)
    assert (record["groups"] == 10**7).all()
    assert (record["z"].abs() < 4.5).all()
    assert (record["stderr"] < 0.01 * record["exact"].where(record["exact"] > 1e-3)).sum() > 150


def test_a_small_run_of_the_agreement_script_gives_the_columns_of_its_record() -> None:
    record = pd.read_csv(gaussian_agreement.RESULT)
    policy = gaussian_agreement.POLICIES[0]
    rows = gaussian_agreement.agreement(policy, 2000, seed=0)
    assert list(rows.columns) == list(record.columns)
    known = record[record["policy"] == policy].reset_index(drop=True)
    assert (rows[["estimator", "figure"]] == known[["estimator", "figure"]]).all(axis=None)
    pd.testing.assert_series_equal(rows["exact"], known["exact"], rtol=1e-8, atol=1e-14)
