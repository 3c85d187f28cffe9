"""The options of the commands are the words of the studies, and no default is declared twice."""

import re
import shlex
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from maxpo_cli.app import app
from maxpo_cli.commands.examples import EXAMPLES
from maxpo_cli.commands.options import POLICY_KEYS, WORDS, OutputOptions, SweepOutputOptions
from maxpo_cli.policies.spec import KINDS
from maxpo_cli.studies.settings import BenchOptions, StudyOptions, SweepOptions

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
TAKEN = {
    "compare": (StudyOptions, OutputOptions),
    "variance-sweep": (SweepOptions, SweepOutputOptions),
    "bench": (BenchOptions, OutputOptions),
}
FLAGS = {"n": "-n", "k": "-k", "sizes": "-n", "peers": "--peer"}
"""Options that are not called after their word."""


def words(command: str) -> dict[str, Field[Any]]:
    return {field.name: field for options in TAKEN[command] for field in fields(options)}


def options(command: str) -> dict[str, Any]:
    return {option.name: option for option in COMMANDS[command].params if option.name != "help"}


def shown(command: str) -> str:
    """The help as text, without line breaks and frames."""
    done = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, [command, "--help"])
    assert done.exit_code == 0
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stdout).split())


@pytest.mark.parametrize("command", TAKEN)
class TestEveryCommand:
    def test_takes_the_words_of_its_study_and_output_and_no_others(self, command: str) -> None:
        assert set(options(command)) == set(words(command))

    def test_has_their_defaults(self, command: str) -> None:
        for name, field in words(command).items():
            default = options(command)[name].default
            assert default == (None if field.default == () else field.default), name

    def test_calls_them_by_their_names(self, command: str) -> None:
        for name, option in options(command).items():
            flag = FLAGS.get(name, f"--{name.replace('_', '-')}")
            assert flag in option.opts, name

    def test_has_them_in_one_order(self, command: str) -> None:
        order = [name for name in WORDS if name in options(command)]
        assert list(options(command)) == order

    def test_help_lists_each_with_its_default(self, command: str) -> None:
        text = shown(command)
        for name, option in options(command).items():
            assert option.opts[0] in text
            assert option.help
            default = words(command)[name].default
            if default not in (None, ()) and not isinstance(default, bool):
                assert f"[default: {default}]" in text, name


def test_a_word_means_the_same_in_every_command() -> None:
    for name in WORDS:
        takers = [options(command)[name] for command in TAKEN if name in options(command)]
        assert takers, f"no command takes {name}"
        assert len({option.help for option in takers}) == 1


def test_what_other_commands_share_has_the_same_default() -> None:
    for name in ("estimators", "plot"):
        for option in COMMANDS[name].params:
            if option.name in ("seed", "json", "quiet", "out"):
                assert option.default == words("bench")[option.name].default


@pytest.mark.parametrize("command", COMMANDS)
class TestHelp:
    def test_is_the_declared_text_to_the_letter(self, command: str) -> None:
        declared = [COMMANDS[command].help]
        declared += [o.help for o in COMMANDS[command].params if not getattr(o, "hidden", False)]
        text = "".join(shown(command).split())  # words may be folded at a hyphen
        for help_text in declared:
            assert "".join(help_text.split()) in text

    @pytest.mark.parametrize("width", [60, 70, 80])
    def test_fits_the_terminal(self, command: str, width: int) -> None:
        context = COMMANDS[command].make_context(
            command, [], resilient_parsing=True, terminal_width=width
        )
        text = context.get_help().partition("Examples:")[0]
        assert "…" not in text.replace(", …", "")
        assert max(map(len, text.splitlines())) <= width

    def test_names_no_types_of_python(self, command: str) -> None:
        assert not re.search(r"<\w|<=|list\[|int range|TEXT range|\d{7}", shown(command))

    def test_ends_with_examples_that_the_command_takes(self, command: str) -> None:
        text = CliRunner(env={"COLUMNS": "80"}).invoke(app, [command, "--help"]).stdout
        ending = text[text.index("Examples:") :].splitlines()
        assert [line.strip() for line in ending[1:]] == list(EXAMPLES[command])
        for example in EXAMPLES[command]:
            name, taken, *arguments = shlex.split(example)
            assert (name, taken) == ("maxpo", command)
            if "--config" not in arguments:  # which is read at once
                COMMANDS[command].make_context(command, arguments, resilient_parsing=False)


def test_the_help_of_policy_lists_the_keys_of_every_kind() -> None:
    assert {name: tuple(kind.keys) for name, kind in KINDS.items()} == POLICY_KEYS
    for name, kind in KINDS.items():
        assert f"{name} ({', '.join(kind.keys)})" in WORDS["policy"].option.help


@pytest.mark.parametrize("command", TAKEN)
def test_n_and_k_have_long_names(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = {"n": "--group-size", "k": "--best-of", "sizes": "--group-size"}
    for name, flag in flags.items():
        if name in options(command):
            assert flag in options(command)[name].opts


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-n", "abc"), "Invalid value for '-n' / '--group-size': 'abc' is not a whole number"),
        (("--group-size", "2.5"), "'2.5' is not a whole number"),
        (("--seed", "-1"), "'-1' is not from 0 to 9223372036854775807"),
        (("--rtol", "small"), "Invalid value for '--rtol': 'small' is not a number"),
        (("--rtol", "inf"), "'inf' is not a number"),
        (("--groups", "1e999"), "'1e999' is not a whole number"),
    ],
)
def test_a_number_that_is_none_is_a_sentence(arguments: tuple[str, ...], said: str) -> None:
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["compare", *arguments])
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
