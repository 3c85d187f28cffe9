from collections.abc import Sequence
from pathlib import Path

import pytest

from maxpo_cli.errors import InputError
from maxpo_cli.policies.files import RewardsFile, read_logged
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.logged import Logged, prompt_of_counts, prompt_of_rewards

PYTHIA = Path(__file__).parents[2] / "analyses" / "data" / "pythia_math_counts.csv"
Where = Sequence[tuple[str, str]]
COIN = Categorical((0.0, 1.0), (0.5, 0.5), (1, 1))


def read(
    folder: Path, text: str | bytes, name: str = "log.csv", where: Where = (), **columns: str
) -> Logged:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_logged(RewardsFile(path, where=tuple(where), **columns))


def refusal(
    folder: Path, text: str | bytes, name: str = "log.csv", where: Where = (), **columns: str
) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, text, name, where, **columns)
    return str(caught.value)


class TestSamples:
    def test_a_row_is_a_sample_of_its_prompt(self, tmp_path: Path) -> None:
        logged = read(tmp_path, "prompt,reward\nb,1\na,0.5\nb,0\na,0.5\nb,1\nb,-2\n")
        assert logged.labels == ("b", "a")
        assert logged.prompts == (
            Categorical((-2.0, 0.0, 1.0), (0.25, 0.25, 0.5), (1, 1, 2)),
            Categorical((0.5,), (1.0,), (2,)),
        )
        assert logged.spec == "logged:log.csv"

    def test_columns_may_have_other_names_and_order(self, tmp_path: Path) -> None:
        text = "score,extra,task\n1,x,t\n0,y,t\n"
        logged = read(tmp_path, text, group_column="task", reward_column="score")
        assert logged.labels == ("t",)
        assert logged.prompts == (COIN,)

    def test_true_and_false_are_1_and_0(self, tmp_path: Path) -> None:
        logged = read(tmp_path, "prompt,reward\na,True\na,false\na, TRUE \na,0\n")
        assert logged.prompts == (Categorical((0.0, 1.0), (0.5, 0.5), (2, 2)),)

    def test_numbers_may_be_written_in_every_usual_way(self, tmp_path: Path) -> None:
        logged = read(tmp_path, "prompt,reward\na,1e-3\na, .5\na,-1.25E2\na,+7\n")
        assert logged.prompts[0].rewards == (-125.0, 0.001, 0.5, 7.0)

    def test_a_byte_order_mark_is_no_part_of_the_first_column(self, tmp_path: Path) -> None:
        assert read(tmp_path, b"\xef\xbb\xbfprompt,reward\na,1\na,0\n").prompts == (COIN,)
        json = b'\xef\xbb\xbf{"prompt": "a", "reward": 1}\n{"prompt": "a", "reward": 0}\n'
        assert read(tmp_path, json, "log.jsonl").prompts == (COIN,)

    def test_prompts_may_hold_commas_quotes_line_breaks_and_any_script(
        self, tmp_path: Path
    ) -> None:
        cell = '"say ""hé"",\nthen 数"'
        logged = read(tmp_path, f"prompt,reward\n{cell},1\n{cell},0\n")
        assert logged.labels == ('say "hé",\nthen 数',)

    def test_prompts_are_told_apart_as_text(self, tmp_path: Path) -> None:
        logged = read(tmp_path, "prompt,reward\n1,1\n01,1\n1,0\n01,0\nNA,1\nNA,0\n")
        assert logged.labels == ("1", "01", "NA")

    def test_windows_line_ends_and_blank_lines_are_taken(self, tmp_path: Path) -> None:
        assert read(tmp_path, "prompt,reward\r\na,1\r\n\r\na,0\r\n\r\n").prompts == (COIN,)

    def test_counts_columns_beside_a_reward_column_are_only_columns(self, tmp_path: Path) -> None:
        logged = read(tmp_path, "prompt,reward,samples,correct\na,1,9,3\na,0,9,3\n")
        assert logged.prompts == (COIN,)


class TestJsonLines:
    def test_an_object_is_a_sample(self, tmp_path: Path) -> None:
        text = (
            '{"prompt": "a", "reward": 1, "more": [1, 2]}\n\n'
            '{"reward": 0.0, "prompt": "a"}\n{"prompt": 7, "reward": true}\n'
            '{"prompt": 7, "reward": "0.25"}\n'
        )
        logged = read(tmp_path, text, "log.jsonl")
        assert logged.labels == ("a", "7")
        assert logged.prompts == (COIN, Categorical((0.25, 1.0), (0.5, 0.5), (1, 1)))

    def test_true_and_false_are_1_and_0_in_every_column(self, tmp_path: Path) -> None:
        rows = ('"prompt": true, "reward": true', '"prompt": 1, "reward": false')
        text = "".join(f'{{{row}, "kept": true}}\n' for row in rows)
        logged = read(tmp_path, text, "log.jsonl", where=[("kept", "1")])
        assert logged.labels == ("1",)
        assert logged.prompts == (COIN,)

    @pytest.mark.parametrize("name", ["log.ndjson", "log.json", "LOG.JSONL"])
    def test_every_usual_suffix_is_known(self, tmp_path: Path, name: str) -> None:
        text = '{"prompt": "a", "reward": 1}\n{"prompt": "a", "reward": 0}'
        assert read(tmp_path, text, name).prompts == (COIN,)

    def test_an_object_may_hold_counts(self, tmp_path: Path) -> None:
        text = '{"prompt": "a", "samples": 10, "correct": 4}\n{"samples": 5, "correct": 0}\n'
        logged = read(tmp_path, text, "log.jsonl")
        assert logged.prompts == (
            Categorical((0.0, 1.0), (0.6, 0.4), (6, 4)),
            Categorical((0.0,), (1.0,), (5,)),
        )

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ('{"prompt": "a", "reward": null}', "column 'reward': 'null' is not a finite number"),
            ('{"prompt": "a", "reward": NaN}', "column 'reward': 'NaN' is not a finite number"),
            ('{"prompt": "a", "reward": [1]}', "column 'reward': '[1]' is not a finite number"),
            ('{"prompt": "a", "reward": ""}', "column 'reward': the value is missing"),
            ('{"prompt": "a"}', "column 'reward': the value is missing"),
        ],
    )
    def test_a_wrong_reward_is_named_with_its_line(
        self, tmp_path: Path, line: str, message: str
    ) -> None:
        text = '{"prompt": "a", "reward": 1}\n\n   \n' + line + "\n"
        assert refusal(tmp_path, text, "log.jsonl") == f"log.jsonl, line 4, {message}"

    def test_a_line_that_is_no_object_is_named(self, tmp_path: Path) -> None:
        good = '{"prompt": "a", "reward": 1}\n\n'
        assert refusal(tmp_path, good + "[1, 2]\n", "log.jsonl") == (
            "log.jsonl, line 3: not a JSON object; JSON Lines has one in each line"
        )
        message = refusal(tmp_path, good + '{"prompt": "a", \n', "log.jsonl")
        assert message.startswith("log.jsonl, line 3: not a JSON object; JSON Lines")

    def test_a_file_without_lines_is_empty(self, tmp_path: Path) -> None:
        assert "log.jsonl is empty" in refusal(tmp_path, " \n\n", "log.jsonl")


class TestCounts:
    def test_a_row_is_a_prompt(self, tmp_path: Path) -> None:
        logged = read(tmp_path, "prompt,samples,correct\nx,10,3\ny,4,4\nz,5,0\n")
        assert logged.labels == ("x", "y", "z")
        assert logged.prompts == (
            Categorical((0.0, 1.0), (0.7, 0.3), (7, 3)),
            Categorical((1.0,), (1.0,), (4,)),
            Categorical((0.0,), (1.0,), (5,)),
        )

    def test_rows_are_numbered_where_no_column_names_them(self, tmp_path: Path) -> None:
        assert read(tmp_path, "samples,correct\n10,3\n4,4\n").labels == ("1", "2")
        text = "samples,correct,m\n10,3,u\n4,4,v\n7,4,v\n"
        assert read(tmp_path, text, where=[("m", "v")]).labels == ("2", "3")

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("10,11", "line 4: 11 correct of 10 samples"),
            ("1,1", "line 4: 1 samples; two are needed"),
            ("10,2.5", "line 4, column 'correct': '2.5' is not a whole number from 0"),
            ("-3,0", "line 4, column 'samples': '-3' is not a whole number from 0"),
            ("10,-1", "line 4, column 'correct': '-1' is not a whole number from 0"),
            ("ten,1", "line 4, column 'samples': 'ten' is not a finite number"),
            ("10,", "line 4, column 'correct': the value is missing"),
            ("inf,1", "line 4, column 'samples': 'inf' is not a finite number"),
        ],
    )
    def test_counts_that_cannot_be_are_named_with_their_line(
        self, tmp_path: Path, row: str, message: str
    ) -> None:
        text = f"samples,correct\n10,3\n\n{row}\n5,2\n"
        assert refusal(tmp_path, text) == f"log.csv, {message}"

    def test_the_pythia_counts_read_as_128_problems_a_model(self) -> None:
        where = (("model", "Pythia 160M"),)
        logged = read_logged(RewardsFile(PYTHIA, group_column="problem", where=where))
        assert len(logged.labels) == len(set(logged.labels)) == len(logged.problems) == 128
        assert logged.spec == "logged:pythia_math_counts.csv[model=Pythia 160M]"
        assert logged.labels[0] == "82"
        assert logged.prompts[0] == Categorical((0.0, 1.0), (0.9993, 0.0007), (9993, 7))
        assert logged.problems[0].objective(1) == pytest.approx(0.0007, rel=1e-12)
        whole = read_logged(RewardsFile(PYTHIA, group_column="problem"))
        assert len(whole.prompts) == 4 * 128


class TestWhere:
    TEXT = "prompt,reward,model,step\na,1,x,1\na,0,x,1\na,5,y,1\na,7,x,2\na,7,x,2\n"

    def test_only_rows_that_match_are_read(self, tmp_path: Path) -> None:
        logged = read(tmp_path, self.TEXT, where=[("model", "x"), ("step", "1")])
        assert logged.prompts == (COIN,)
        assert logged.spec == "logged:log.csv[model=x,step=1]"

    def test_no_match_and_no_column_are_named(self, tmp_path: Path) -> None:
        assert refusal(tmp_path, self.TEXT, where=[("step", "3")]) == "log.csv: no row has step=3"
        message = refusal(tmp_path, self.TEXT, where=[("seed", "3")])
        assert message.startswith(
            "log.csv has no column 'seed' (--where or --grid); it has 'prompt', "
        )

    def test_rows_left_out_are_not_judged(self, tmp_path: Path) -> None:
        text = "prompt,reward,model\na,bad,y\na,1,x\nb,1,y\na,0,x\n"
        assert read(tmp_path, text, where=[("model", "x")]).prompts == (COIN,)

    def test_lines_are_those_of_the_file_all_the_same(self, tmp_path: Path) -> None:
        text = "prompt,reward,model\na,1,y\n\na,1,x\na,1,y\na,bad,x\n"
        message = refusal(tmp_path, text, where=[("model", "x")])
        assert message == "log.csv, line 6, column 'reward': 'bad' is not a finite number"


class TestRefusals:
    def test_a_missing_column_is_named_with_those_there_are(self, tmp_path: Path) -> None:
        message = refusal(tmp_path, "prompt,score\na,1\n")
        assert message.startswith("log.csv has no column 'reward' (it has 'prompt', 'score'); ")
        assert "--reward-column" in message
        message = refusal(tmp_path, "id,reward\na,1\n")
        assert message == "log.csv has no column 'prompt' (--group-column); it has 'id', 'reward'"

    @pytest.mark.parametrize(
        ("before", "line"),
        [
            ("prompt,reward,text\n", 2),
            ("\n\nprompt,reward,text\n\n", 5),
            ("prompt,reward,text\na,1,x\n\n\na,0,y\n", 6),
            ('prompt,reward,text\na,1,"x\ny\n\nz"\n', 6),
            ('prompt,reward,"te\nxt"\r\na,1,"x\r\ny"\r\n', 5),
            ("prompt,reward,text\na,1,x\n   \n\t\n", 5),
        ],
    )
    def test_a_wrong_reward_is_named_with_its_true_line(
        self, tmp_path: Path, before: str, line: int
    ) -> None:
        text = before + "a,oops,z\na,1,w\n"
        message = f"log.csv, line {line}, column 'reward': 'oops' is not a finite number"
        assert text.splitlines()[line - 1] == "a,oops,z"
        assert refusal(tmp_path, text) == message

    def test_a_long_answer_beside_a_wrong_reward_is_no_obstacle(self, tmp_path: Path) -> None:
        text = f"prompt,reward,text\na,1,{'z' * 140_000}\na,oops,z\n"
        assert refusal(tmp_path, text).startswith("log.csv, line 3, column 'reward': 'oops'")

    @pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "1,5", "0x1", "1_0", "--1"])
    def test_what_is_no_finite_number_is_no_reward(self, tmp_path: Path, value: str) -> None:
        message = refusal(tmp_path, f'prompt,reward\na,1\na,"{value}"\n')
        assert message == f"log.csv, line 3, column 'reward': '{value}' is not a finite number"

    @pytest.mark.parametrize("row", ["a,", "a,  ", "a"])
    def test_a_missing_reward_is_called_missing(self, tmp_path: Path, row: str) -> None:
        message = refusal(tmp_path, f"prompt,reward\na,1\n{row}\n")
        assert message == "log.csv, line 3, column 'reward': the value is missing"

    def test_a_prompt_with_one_sample_is_named(self, tmp_path: Path) -> None:
        message = refusal(tmp_path, "prompt,reward\na,1\nlone,1\na,0\n")
        assert message == "log.csv: prompt 'lone' has one sample; every prompt needs two or more"

    @pytest.mark.parametrize("text", ["", "\n\n", "prompt,reward\n"])
    def test_a_file_without_rows_is_empty(self, tmp_path: Path, text: str) -> None:
        assert "log.csv is empty" in refusal(tmp_path, text)

    def test_a_file_that_is_no_text_is_refused(self, tmp_path: Path) -> None:
        assert refusal(tmp_path, b"\xff\xfe\x00\x01") == "log.csv is not a text file in UTF-8"
        message = refusal(tmp_path, b'{"a": "\xff"}', "log.jsonl")
        assert message == "log.jsonl is not a text file in UTF-8"

    @pytest.mark.parametrize(
        "rows",
        [
            "a,1\na,0,2,3\n",  # one row too long
            "a,1,9\na,0,9\n",  # all of them
            'a,1\na,"0\n',  # a quote that never ends
        ],
    )
    def test_a_file_that_is_no_table_is_refused(self, tmp_path: Path, rows: str) -> None:
        assert refusal(tmp_path, "prompt,reward\n" + rows).startswith("log.csv is not a CSV table")

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        for name in ("none.csv", "none.jsonl", "none/log.csv"):
            with pytest.raises(InputError, match="--rewards: there is no file") as caught:
                read_logged(RewardsFile(tmp_path / name))
            assert name in str(caught.value)

    @pytest.mark.parametrize("name", ["folder.csv", "folder.jsonl"])
    def test_a_folder_is_no_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).mkdir()
        with pytest.raises(InputError, match="is a folder; name a file in it"):
            read_logged(RewardsFile(tmp_path / name))


class TestPrompts:
    def test_samples_and_counts_make_the_same_policy(self) -> None:
        assert prompt_of_rewards([1, 0, 0, 0.5, 0]) == prompt_of_counts((0.0, 0.5, 1.0), (3, 1, 1))
        assert prompt_of_counts((0.0, 1.0), (0, 3)) == Categorical((1.0,), (1.0,), (3,))

    def test_prompts_with_equal_counts_share_one_problem(self) -> None:
        prompts = tuple(prompt_of_rewards(rewards) for rewards in ([0, 1], [1, 1], [1, 0]))
        problems = Logged("log", ("a", "b", "c"), prompts).problems
        assert problems[0] is problems[2]
        assert problems[0] is not problems[1]
