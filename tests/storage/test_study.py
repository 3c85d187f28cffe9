"""`study.json`: what is written is read back, and anything else is refused in one sentence."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from oracles.records import RECORD

from maxpo_cli import __version__
from maxpo_cli.errors import InputError
from maxpo_cli.storage.study import StudyRecord, made_with, read_study, write_study

OPTIONAL = {"cells", "prompts", "fewest_samples", "rewards_sha256", "table_sha256"}
NAMES = [field.name for field in fields(StudyRecord)]


def refusal(value: object) -> str:
    with pytest.raises(InputError) as caught:
        StudyRecord.from_json(value, "here/study.json")
    return str(caught.value)


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    for record in (RECORD, replace(RECORD, **dict.fromkeys(OPTIONAL))):
        write_study(tmp_path / "study.json", record)
        assert read_study(tmp_path) == record
    text = (tmp_path / "study.json").read_text()
    assert "null" not in text
    assert set(json.loads(text)) == set(NAMES) - OPTIONAL


def test_options_that_are_none_are_left_out_and_tuples_are_lists() -> None:
    record = replace(RECORD, spec={"estimators": ("l2o", "ei"), "until_rel_error": None})
    assert record.to_json()["spec"] == {"estimators": ["l2o", "ei"]}


@pytest.mark.parametrize("name", NAMES)
def test_a_key_of_the_wrong_type_or_missing_is_named(name: str) -> None:
    value = RECORD.to_json()
    for wrong in (None, [1], {"a": [1]}, True if name != "complete" else "yes", 1.5):
        if name == "spec" and isinstance(wrong, dict):
            continue
        said = refusal(value | {name: wrong})
        assert said.startswith("here/study.json ")
        if name not in ("schema", "study", "versions"):
            assert f"its '{name}' is of the wrong type" in said
    del value[name]
    if name in OPTIONAL:
        assert getattr(StudyRecord.from_json(value), name) is None
    elif name not in ("schema", "study", "versions"):
        assert f"it has no '{name}'" in refusal(value)
    else:
        refusal(value)


@pytest.mark.parametrize("value", [None, 3, [], {}, {"study": "compare"}, {"versions": {}}])
def test_what_is_not_a_study_is_refused(value: object) -> None:
    assert refusal(value) == "here/study.json is not a study that maxpo wrote"


@pytest.mark.parametrize("schema", [1, 3])
def test_another_schema_is_said_to_be_another_version(schema: int) -> None:
    value: dict[str, Any] = RECORD.to_json() | {"schema": schema}
    if schema == 1:
        del value["schema"]
    assert refusal(value) == (
        "here/study.json was written by another version of maxpo "
        f"(schema {schema}, this one reads 2); run the study again"
    )


def test_a_folder_without_a_study_says_what_it_has(tmp_path: Path) -> None:
    for folder, said in ((tmp_path, "it has other.csv"), (tmp_path / "none", "it has nothing")):
        (tmp_path / "other.csv").write_text("")
        with pytest.raises(InputError, match=said):
            read_study(folder)


def test_made_with_has_the_versions_of_what_runs() -> None:
    made = made_with("cpu")
    assert made["versions"]["maxpo"] == __version__
    assert set(made["versions"]) == {"maxpo", "python", "torch", "pandas"}
    assert made["created"].endswith("+00:00")
