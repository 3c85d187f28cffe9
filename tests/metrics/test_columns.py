"""The columns of a table: their order, and that what they name is there."""

from maxpo_cli.metrics.columns import BY_NAME, COLUMNS, METRICS, Kind, column_names
from maxpo_cli.metrics.summary import Summary

ORDER = (
    "estimator policy n k engine states groups rtol objective gradient_norm bias bias_stderr "
    "relative_bias relative_bias_stderr bias_z scale misalignment centering_mean centering_rms "
    "centering_max variance variance_stderr matched_variance variance_ratio "
    "variance_ratio_stderr snr mse note"
)


def test_columns_come_in_the_order_that_the_readme_shows() -> None:
    assert column_names() == tuple(ORDER.split())


def test_swept_columns_follow_the_policy() -> None:
    assert column_names(("p", "std"))[:6] == ("estimator", "policy", "p", "std", "n", "k")
    assert set(column_names(("p",))) == {*ORDER.split(), "p"}


def test_every_metric_is_one_of_a_summary() -> None:
    assert [column.name for column in METRICS if not hasattr(Summary, column.name)] == []
    assert all(column.value is None for column in COLUMNS if column not in METRICS)


def test_a_standard_error_is_a_column_of_numbers_that_says_whose_it_is() -> None:
    errors = {column.name: column.stderr for column in COLUMNS if column.stderr}
    assert errors == {
        name: f"{name}_stderr" for name in ("bias", "relative_bias", "variance", "variance_ratio")
    }
    for name, error in errors.items():
        assert BY_NAME[error].kind is Kind.NUMBER
        assert f"standard error of `{name}`" in BY_NAME[error].meaning


def test_every_column_has_a_meaning_of_its_own() -> None:
    meanings = [column.meaning for column in COLUMNS]
    assert all(meanings)
    assert len(set(meanings)) == len(COLUMNS)
