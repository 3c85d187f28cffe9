"""The options of the commands are the words of the studies, and no default is declared twice."""

import re
from dataclasses import Field, fields
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from maxpo_cli.app import app
from maxpo_cli.commands.options import WORDS, OutputOptions, SweepOutputOptions
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
