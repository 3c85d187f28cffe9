"""`--config`: what a file says as options, and what it says wrong."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from maxpo_cli import app as maxpo_app
from maxpo_cli.commands import results
from maxpo_cli.errors import InputError

Maxpo = Callable[..., dict[str, Any]]


@pytest.fixture
def maxpo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maxpo:
    """Runs a command in `tmp_path` with `--config`, without figures; gives the spec it ran."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(results, "draw_figures", lambda *_, **__: None)
    (tmp_path / "log.csv").write_text(
        "prompt,reward,model,score\n" + "".join(
            f"{prompt},{(i + prompt) % 2},{model},{i % 3}\n"
            for model in "ab" for prompt in (1, 2) for i in range(4 + prompt)
        )
    )  # fmt: skip

    def run(command: str, config: str | Path | None, *arguments: str) -> dict[str, Any]:
        if isinstance(config, str):
            (tmp_path / "study.toml").write_text(config, encoding="utf-8")
            config = Path("study.toml")
        options = ["--config", str(config)] if config is not None else []
        if "--out" not in arguments:
            options += ["--out", "here"]
        options += ["--overwrite"]
        done = CliRunner().invoke(maxpo_app.app, [command, *options, *arguments, "-q"])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        if done.exit_code:
            raise InputError(done.output)
        out = arguments[arguments.index("--out") + 1] if "--out" in arguments else "here"
        return json.loads((tmp_path / out / "study.json").read_text())["spec"]  # type: ignore[no-any-return]

    return run


def refusal(maxpo: Maxpo, command: str, config: str | Path, *arguments: str) -> str:
    with pytest.raises(InputError) as caught:
        maxpo(command, config, *arguments)
    assert not Path("here").exists()
    return " ".join(str(caught.value).split())


class TestOptions:
    def test_a_file_gives_options_by_name(self, maxpo: Maxpo) -> None:
        spec = maxpo(
            "compare",
            'policy = "bernoulli:p=0.3"\nn = 6\nk = 2\nestimators = ["l2o", "ei"]\n'
            'engine = "monte-carlo"\ngroups = 500\nseed = 7\nuntil-rel-error = 0.5\n'
            'dtype = "float32"\nrtol = 1e-6\nreference = "pkpo"\ndevice = "cpu"\n',
        )
        assert spec == {
            "policy": "bernoulli:p=0.3", "n": 6, "k": 2, "estimators": ["l2o", "ei"],
            "engine": "monte-carlo", "groups": 500, "seed": 7, "until_rel_error": 0.5,
            "dtype": "float32", "rtol": 1e-6, "reference": "pkpo", "device": "cpu",
        }  # fmt: skip

    @pytest.mark.parametrize("key", ["until-rel-error", "until_rel_error"])
    def test_names_have_hyphens_or_underscores(self, key: str, maxpo: Maxpo) -> None:
        assert maxpo("compare", f"{key} = 0.25")["until_rel_error"] == 0.25

    def test_options_of_the_command_line_win(self, maxpo: Maxpo) -> None:
        config = 'policy = "bernoulli:p=0.3"\nn = 6\nk = 2\nseed = 7\nestimators = "ei"'
        spec = maxpo(
            "compare", config, "-n", "5", "--seed", "0", "--estimators", "rloo,pkpo",
            "--policy", "bernoulli:p=0.4",
        )  # fmt: skip
        assert (spec["n"], spec["k"], spec["seed"]) == (5, 2, 0)
        assert spec["estimators"] == ["rloo", "pkpo"]
        assert spec["policy"] == "bernoulli:p=0.4"

    def test_options_come_before_or_after_the_config(self, maxpo: Maxpo, tmp_path: Path) -> None:
        (tmp_path / "c.toml").write_text("n = 6\nk = 2")
        spec = maxpo("compare", None, "-n", "5", "--config", "c.toml")
        assert (spec["n"], spec["k"]) == (5, 2)

    def test_policy_and_rewards_win_over_each_other_both_ways(self, maxpo: Maxpo) -> None:
        logged = 'rewards = "log.csv"\nwhere = ["model=a"]\nreward_column = "score"\nn = 3\nk = 2'
        spec = maxpo("compare", logged)
        assert spec["where"] == ["model=a"]
        assert spec["reward_column"] == "score"
        spec = maxpo("compare", logged, "--policy", "bernoulli:p=0.4")
        assert spec["policy"] == "bernoulli:p=0.4"
        assert "rewards" not in spec
        spec = maxpo(
            "compare", 'policy = "bernoulli:p=0.5"\nn = 3\nk = 2', "--rewards", "log.csv",
            "--where", "model=b",
        )  # fmt: skip
        assert "policy" not in spec
        assert spec["where"] == ["model=b"]

    def test_where_is_one_text_or_several(self, maxpo: Maxpo) -> None:
        for where in ('"model=a"', '["model=a"]'):
            spec = maxpo("compare", f'rewards = "log.csv"\nn = 3\nk = 2\nwhere = {where}')
            assert spec["where"] == ["model=a"]

    def test_flags_and_out_are_options_too(self, maxpo: Maxpo, tmp_path: Path) -> None:
        (tmp_path / "c.toml").write_text('n = 4\nk = 2\nout = "there"\njson = false')
        maxpo("compare", None, "--config", "c.toml", "--out", "there")
        assert (tmp_path / "there" / "table.csv").is_file()

    def test_an_empty_file_says_nothing(self, maxpo: Maxpo) -> None:
        assert maxpo("compare", "")["n"] == 16


class TestGrid:
    @pytest.mark.parametrize(
        "grid",
        [
            '[grid]\np = [0.1, 0.5]\nk = [1, 2]',
            '[grid]\np = "0.1,0.5"\nk = "1,2"',
            '[grid]\np = "0.1:0.5:2"\nk = "1:2:2"',
            'grid = ["p=0.1,0.5", "k=1,2"]',
            'grid = {p = ["0.1", 0.5], k = [1.0, 2]}',
        ],
    )  # fmt: skip
    def test_a_grid_is_a_table_or_texts(self, grid: str, maxpo: Maxpo, tmp_path: Path) -> None:
        maxpo("variance-sweep", "n = 3\n" + grid)
        table = pd.read_csv(tmp_path / "here" / "table.csv")
        cells = table.drop_duplicates(["p", "k"])[["p", "k"]].values.tolist()
        assert cells == [[0.1, 1], [0.1, 2], [0.5, 1], [0.5, 2]]

    def test_one_value_is_an_axis(self, maxpo: Maxpo) -> None:
        assert maxpo("variance-sweep", "[grid]\np = 0.5\nk = 1")["grid"] == {"p": "0.5", "k": "1"}

    def test_a_size_on_the_command_line_wins_over_the_grid(self, maxpo: Maxpo) -> None:
        spec = maxpo("variance-sweep", "[grid]\np = [0.1, 0.5]\nk = [1, 2]", "-k", "3", "-n", "4")
        assert (spec["k"], spec["n"], spec["grid"]) == (3, 4, {"p": "0.1,0.5"})

    def test_a_grid_on_the_command_line_wins_over_a_size(self, maxpo: Maxpo) -> None:
        spec = maxpo("variance-sweep", "n = 4\nk = 3", "--grid", "k=1,2", "--grid", "p=0.5")
        assert spec["grid"] == {"k": "1,2", "p": "0.5"}
        assert "k" not in spec

    def test_a_grid_on_the_command_line_takes_the_place_of_that_of_the_file(
        self, maxpo: Maxpo
    ) -> None:
        config = 'policy = "bernoulli:p=0.2"\nn = 4\nk = 2\n[grid]\np = [0.1, 0.5]'
        spec = maxpo("variance-sweep", config, "--grid", "n=3,4")
        assert spec["grid"] == {"n": "3,4"}
        assert spec["policy"] == "bernoulli:p=0.2"

    def test_a_size_of_the_file_is_never_passed_over_in_silence(
        self, maxpo: Maxpo, tmp_path: Path
    ) -> None:
        assert maxpo("variance-sweep", "k = 3\nn = 4")["k"] == 3
        assert set(pd.read_csv(tmp_path / "here" / "table.csv")["k"]) == {3}

    def test_a_size_alone_is_not_said_to_exclude_a_grid_that_nobody_gave(
        self, maxpo: Maxpo, tmp_path: Path
    ) -> None:
        maxpo("variance-sweep", None, "-k", "3", "-n", "4")
        assert set(pd.read_csv(tmp_path / "here" / "table.csv")["k"]) == {3}

    def test_a_size_given_twice_in_one_place_is_refused(self, maxpo: Maxpo) -> None:
        said = refusal(maxpo, "variance-sweep", "k = 3\n[grid]\nk = [1, 2]\np = 0.5")
        assert "-k and --grid k=… exclude each other" in said

    def test_a_grid_left_empty_by_a_size_is_refused(self, maxpo: Maxpo) -> None:
        config = 'policy = "bernoulli:p=0.5"\n[grid]\nk = [1, 2]'
        assert "needs --grid" in refusal(maxpo, "variance-sweep", config, "-k", "2")


BAD = {
    "seeed = 3": "unknown key 'seeed'; did you mean 'seed'?",
    "until_rel_eror = 3": "did you mean 'until-rel-error'?",
    'polici = "x"': "did you mean 'policy'?",
    "config = 'x'": "unknown key 'config'",
    "help = true": "unknown key 'help'",
    "grid = 'k=1'": "unknown key 'grid'",
    "workers = 2": "unknown key 'workers'",
    'n = "eight"': "Invalid value for '-n'",
    "n = 8.5": "Invalid value for '-n'",
    "n = [1, 2]": "Invalid value for '-n'",
    "n = true\nk = 1": "-n must be text or a number; got true",
    "seed = true": "--seed must be text or a number; got true",
    "policy = true": "--policy must be text or a number; got true",
    "policy = {p = 1}": "policy cannot be",
    "[n]\nx = 1": "n cannot be",
    "seed = -1": "Invalid value for '--seed'",
    "groups = 1": "--groups must be at least 2",
    "until-rel-error = 2": "--until-rel-error must be above 0 and below 1",
    "until-rel-error = nan": "Invalid value for '--until-rel-error': 'nan' is not a number",
    "n = 1979-05-27": "n cannot be",
    "n = ": "is not TOML",
    "n = 8\nn = 9": "is not TOML",
    'estimators = ["l20"]': "did you mean 'l2o'?",
    'policy = "bernoulli:p=0.1"\nrewards = "log.csv"': "exclude each other",
    "where = ['model=a']": "--where is about --rewards",
    "json = 'perhaps'": '--json must be true or false; got "perhaps"',
    '[[plot]]\nkind = "map"': "unknown key 'plot'",
    'policy = "a\\u0000b"': "policy cannot be",
    "estimators = [['l2o'], ['ei']]": "estimators cannot be a list within a list",
    "n = 0x" + "f" * 5000: "n has too many digits",
    "n = " + "9" * 5000: "is not TOML",
    "n = " + "[" * 1000: "nested too deeply",
    "n = " + "{a = " * 1000: "nested too deeply",
}


class TestRefusals:
    @pytest.mark.parametrize("config", BAD, ids=[text.replace("\n", "; ")[:40] for text in BAD])
    def test_what_cannot_be_is_one_sentence_that_names_it(self, config: str, maxpo: Maxpo) -> None:
        assert BAD[config] in refusal(maxpo, "compare", config)

    @pytest.mark.parametrize(
        ("config", "said"),
        [
            ("[grid]\nk = [1, true]", "grid cannot be true"),
            ("[grid]\nk = {a = 1}", "grid cannot be"),
            ("[grid]\nq = [1]", "unknown --grid name for bernoulli 'q'"),
            ("[grid]\nk = []", "--grid k: a value is missing"),
            ("[grid]\nk = [[1, 2], [3]]", "grid cannot be a list within a list"),
            ("[grid]\nprobs = [[0.5, 0.5]]", "a text with slashes, as in 0.5/0.5"),
            ('[grid]\nk = ["1,2", 3]', "grid: '1,2' in a list must be one value"),
            ('[grid]\np = ["0.1,0.2"]', "grid: '0.1,0.2' in a list must be one value"),
            ('grid = [["k=1"]]', "grid cannot be a list within a list"),
            ("grid = 3", "--grid takes NAME=VALUES"),
            ("grid = true", "--grid must be text or a number; got true"),
            ("workers = 0", "Invalid value for '--workers'"),
            ("workers = true", "--workers must be text or a number; got true"),
        ],
    )
    def test_what_a_sweep_cannot_be_is_one_sentence(
        self, config: str, said: str, maxpo: Maxpo
    ) -> None:
        assert said in refusal(maxpo, "variance-sweep", config)

    def test_a_file_that_cannot_be_read_is_named(self, maxpo: Maxpo, tmp_path: Path) -> None:
        assert "--config none.toml: no such file" in refusal(maxpo, "compare", Path("none.toml"))
        (tmp_path / "folder").mkdir()
        assert "--config folder: is a directory" in refusal(maxpo, "compare", Path("folder"))
        (tmp_path / "bytes.toml").write_bytes(b"n = \xff\xfe")
        assert "bytes.toml is not TOML" in refusal(maxpo, "compare", Path("bytes.toml"))

    def test_only_files_that_end_are_read(self, maxpo: Maxpo, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.toml")
        (tmp_path / "large.toml").write_text("#" * (1 << 25))
        assert "--config /dev/zero is not a file" in refusal(maxpo, "compare", Path("/dev/zero"))
        assert "pipe.toml is not a file" in refusal(maxpo, "compare", Path("pipe.toml"))
        assert "large.toml is too large" in refusal(maxpo, "compare", Path("large.toml"))

    def test_a_pipe_of_the_shell_and_a_byte_order_mark_are_taken(self, maxpo: Maxpo) -> None:
        reading, writing = os.pipe()
        os.write(writing, "\ufeffn = 4\nk = 2".encode())
        os.close(writing)
        assert maxpo("compare", Path(f"/dev/fd/{reading}"))["n"] == 4
        os.close(reading)

    def test_the_errors_name_the_config(self, maxpo: Maxpo) -> None:
        for config in ("seeed = 3", "n = ", "[n]\nx = 1"):
            assert "--config study.toml" in refusal(maxpo, "compare", config)

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "3", '{"spec": 3}', '{"a": {}}', '{"study": [], "spec": {}}']
    )
    def test_json_that_is_no_study_is_refused(
        self, text: str, maxpo: Maxpo, tmp_path: Path
    ) -> None:
        (tmp_path / "a.json").write_text(text)
        assert "--config a.json is not" in refusal(maxpo, "compare", Path("a.json"))


class TestStudies:
    @pytest.mark.parametrize(
        ("command", "arguments"),
        [
            ("compare", ("--policy", "gaussian:std=2", "-n", "4", "-k", "2", "--groups", "300",
                         "--seed", "5", "--estimators", "all", "--until-rel-error", "0.3",
                         "--rtol", "0.01")),
            ("compare", ("--rewards", "log.csv", "--where", "model=a", "--reward-column", "score",
                         "-n", "4", "-k", "2", "--estimators", "ei,l2o")),
            ("variance-sweep", ("--policy", "gaussian:std=2", "-n", "4", "--grid", "k=1,2",
                                "--grid", "mean=0:1:3", "--groups", "300", "--seed", "5",
                                "--rtol", "0.01")),
            ("variance-sweep", ("--rewards", "log.csv", "--grid", "model=a,b", "-n", "4",
                                "--grid", "k=1,2", "--reward-column", "score")),
            ("variance-sweep", ("--grid", "p=0.01:0.9:5:log", "--grid", "n=2,4", "-k", "2")),
            ("variance-sweep", ("--policy", "categorical", "--grid", "probs=0.5/0.5,0.1/0.9",
                                "--grid", "rewards=0/1", "--grid", "outcomes=1,2/3", "-n", "3",
                                "-k", "2")),
        ],
    )  # fmt: skip
    def test_a_study_given_back_is_the_same_study(
        self, command: str, arguments: tuple[str, ...], maxpo: Maxpo, tmp_path: Path
    ) -> None:
        one = maxpo(command, None, *arguments, "--out", "one")
        two = maxpo(command, Path("one/study.json"), "--out", "two")
        assert one == two
        tables = [pd.read_csv(tmp_path / name / "table.csv", dtype=str) for name in ("one", "two")]
        pd.testing.assert_frame_equal(*tables)

    def test_options_win_over_a_study(self, maxpo: Maxpo) -> None:
        maxpo("compare", None, "-n", "4", "-k", "2", "--out", "one")
        spec = maxpo("compare", Path("one/study.json"), "-k", "3", "--policy", "bernoulli:p=0.7")
        assert (spec["n"], spec["k"], spec["policy"]) == (4, 3, "bernoulli:p=0.7")

    def test_a_study_of_the_other_command_is_refused(self, maxpo: Maxpo) -> None:
        maxpo("compare", None, "-n", "4", "-k", "2", "--out", "one")
        maxpo("variance-sweep", None, "--grid", "p=0.5", "-n", "4", "--out", "two")
        said = refusal(maxpo, "variance-sweep", Path("one/study.json"))
        assert "is a study of maxpo compare, not variance-sweep" in said
        said = refusal(maxpo, "compare", Path("two/study.json"))
        assert "is a study of maxpo variance-sweep, not compare" in said

    @pytest.mark.parametrize(
        "text", ['{"study": %s, "spec": {}}', '{"study": "compare", "spec": %s}']
    )
    def test_a_study_nested_without_end_is_refused(
        self, text: str, maxpo: Maxpo, tmp_path: Path
    ) -> None:
        for depth in (500, 900, 2000):
            (tmp_path / "a.json").write_text(text % ("[" * depth + "]" * depth))
            assert "--config a.json" in refusal(maxpo, "compare", Path("a.json"))

    @pytest.mark.parametrize("config", ["study.toml", "study.json"])
    def test_own_functions_come_from_the_command_line_only(
        self, config: str, maxpo: Maxpo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "evil.py").write_text("open('ran', 'w').close()\ndef f(r):\n    return r\n")
        (tmp_path / "study.toml").write_text('n = 8\npeer = "evil:f"\n')
        words = {"n": [8], "peer": ["evil:f", "evil:g"]}
        (tmp_path / "study.json").write_text(json.dumps({"study": "bench", "spec": words}))
        said = refusal(maxpo, "bench", Path(config))
        assert f"--config {config}: --peer names code to run" in said
        assert not (tmp_path / "ran").exists()
        monkeypatch.setattr(sys, "path", [*sys.path])
        said = refusal(maxpo, "bench", Path(config), "--peer", "evil:none")
        assert "evil has no none" in said

    def test_paths_of_a_file_are_those_of_the_current_folder(
        self, maxpo: Maxpo, tmp_path: Path
    ) -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "c.toml").write_text('rewards = "log.csv"\nn = 3\nk = 2')
        assert maxpo("compare", Path("sub/c.toml"))["rewards"] == "log.csv"
