"""Results as they are read back."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from oracles.records import RECORD

from maxpo_cli.errors import InputError
from maxpo_cli.storage.result import read_result, read_table
from maxpo_cli.storage.study import write_study

TABLE = "estimator,policy,p,reward,n,k,engine,states,variance,note\n"
EI = "ei,bernoulli:p=0.1,0.1,{reward},8,2,enumeration,45,1,\n"
L2O = "l2o,bernoulli:p=1,1,{reward},8,2,,,,undefined\n"


def write(folder: Path, *rewards: str) -> Path:
    rows = [row.format(reward=reward) for row, reward in zip((EI, L2O), rewards, strict=True)]
    (folder / "table.csv").write_text(TABLE + "".join(rows))
    write_study(
        folder / "study.json", replace(RECORD, coordinates=("policy", "p", "reward", "n", "k"))
    )
    return folder


def test_a_result_has_typed_columns_and_what_its_study_says(tmp_path: Path) -> None:
    result = read_result(write(tmp_path, "exp", "identity"))
    table = result.table
    assert table["variance"].dtype == "float64"
    assert table["states"].dtype == "Int64"
    assert table["n"].dtype == "int64"
    assert list(table["p"]) == [0.1, 1.0]
    assert list(table["reward"]) == ["exp", "identity"]
    assert list(table["note"]) == ["", "undefined"]
    assert table["engine"].isna().tolist() == [False, True]
    assert result.coordinates == ("policy", "p", "reward", "n", "k")
    assert (result.source, result.parameters) == ("bernoulli", {"outcomes": "inf"})


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (("1", "2"), [1, 2]),
        (("0.5", "1e3"), [0.5, 1000.0]),
        (("True", "False"), ["True", "False"]),
        (("1", "Pythia 12B"), ["1", "Pythia 12B"]),
        (("nan", "NA"), ["nan", "NA"]),
        (("1", "nan"), ["1", "nan"]),
    ],
)
def test_a_swept_column_is_numbers_only_where_all_cells_are(
    texts: tuple[str, str], values: list[object], tmp_path: Path
) -> None:
    assert list(read_table(write(tmp_path, *texts))["reward"]) == values


def test_what_is_not_a_result_is_said_in_a_sentence(tmp_path: Path) -> None:
    def said(folder: Path) -> str:
        with pytest.raises(InputError) as caught:
            read_result(folder)
        return str(caught.value)

    assert "there is no such folder" in said(tmp_path / "none")
    assert "it has no table.csv; it holds nothing" in said(tmp_path)
    here = write(tmp_path, "a", "b")
    assert "is a file: name the result folder" in said(here / "table.csv")
    (here / "study.json").unlink()
    assert "it has no study.json" in said(here)
    write(here, "a", "b")
    table = pd.read_csv(here / "table.csv")
    table.drop(columns="p").to_csv(here / "table.csv", index=False)
    assert "has no column p" in said(here)
    for text in ("", "\xff\xfe", TABLE + "x,y,z,a,many,2,,,,\n", TABLE.replace("note", '"')):
        (here / "table.csv").write_bytes(text.encode("latin-1"))
        assert "is not a table that maxpo wrote" in said(here)
    (here / "table.csv").write_text(TABLE)
    assert "has no rows" in said(here)


EMPTY_AND_INFINITE = "l2o,bernoulli:p=inf,inf,exp,8,2,,,,\n"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("l2o,b,0.1,a,8,2,,,inf,\n", "row 2: variance is inf"),
        ("l2o,b,0.1,a,8,2,,,-1e400,\n", "row 2: variance is -inf"),
        ("l2o,b,0.1,a,8,2,,,some,\n", "is not a table that maxpo wrote"),
        ("l2o,b,0.1,a,0,2,,,1,\n", "row 2: n is 0"),
        ("l2o,b,0.1,a,8,-2,,,1,\n", "row 2: k is -2"),
        ("l2o,b,0.1,a,inf,2,,,1,\n", "is not a table that maxpo wrote"),
        ("l2o,b,0.1,a,,2,,,1,\n", "is not a table that maxpo wrote"),
        (f"l2o,b,0.1,a,{'9' * 30},2,,,1,\n", "is not a table that maxpo wrote"),
        (f"l2o,b,0.1,a,8,2,,{'9' * 5000},1,\n", "is not a table that maxpo wrote"),
        ("l2o,b,0.1,a,8,2,,1.5,1,\n", "is not a table that maxpo wrote"),
        ("l2o,b,0.1,a,8,2,,1e400,1,\n", "is not a table that maxpo wrote"),
        (",b,0.1,a,8,2,,,1,\n", "row 2: estimator is nan"),
        ("l2o,,0.1,a,8,2,,,1,\n", "row 2: policy is nan"),
        ("ei,b,0.1,a,8,2,,,1,\nl2o,b,0.1,a,8,2,,,1,\n" * 2, "row 4: an earlier row is of the same"),
    ],
    ids=lambda text: text[:40],
)
def test_a_cell_that_no_table_has_is_said_in_a_sentence(
    row: str, said: str, tmp_path: Path
) -> None:
    write(tmp_path, "a", "b")
    (tmp_path / "table.csv").write_text(TABLE + row)
    with pytest.raises(InputError, match=said):
        read_result(tmp_path)


def test_a_swept_value_may_be_infinite_and_a_metric_empty(tmp_path: Path) -> None:
    write(tmp_path, "a", "b")
    (tmp_path / "table.csv").write_text(TABLE + EMPTY_AND_INFINITE)
    assert list(read_result(tmp_path).table["p"]) == [float("inf")]
