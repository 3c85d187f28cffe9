"""Text that is printed: what a terminal would obey is escaped, what an encoding lacks is spelt."""

import pytest

from maxpo_cli.text import PLAIN, one_line, plain, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("l2o at p = 0.1\n\tpkpo", "l2o at p = 0.1\n\tpkpo"),
        ("数学 modèle ĝ ± 🎲", "数学 modèle ĝ ± 🎲"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\rb\x07\x00\x7f", r"a\rb\x07\x00\x7f"),
        ("\x9b2J\x85", r"\x9b2J\x85"),
        ("ab\u202ecd\u2066\u2028\ufeff", r"ab\u202ecd\u2066\u2028\ufeff"),
        ("log\udcff.csv", r"log\xff.csv"),
        ("\ud83d", r"\ud83d"),
        ("[/b] \\ $_^$", "[/b] \\ $_^$"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_a_sentence_is_one_line() -> None:
    assert one_line("one\n two\r\nthree \x1b") == r"one two three \x1b"


@pytest.mark.parametrize(
    ("encoding", "text", "shown"),
    [
        ("utf-8", "‖ĝ‖² ± ∞ 数", "‖ĝ‖² ± ∞ 数"),
        ("ascii", "‖ĝ‖² ± ∞ −1", "||g^||^2 +- inf -1"),
        ("latin-1", "‖ĝ‖² ± × −1", "||g^||² ± × -1"),
        ("ascii", "modèle 数", r"mod\xe8le \u6570"),
        ("ascii", "log\udcff.csv", r"log\xff.csv"),
        ("utf-8", "log\udcff.csv", r"log\xff.csv"),
    ],
)
def test_what_an_encoding_lacks_is_spelt_out(encoding: str, text: str, shown: str) -> None:
    assert plain(text, encoding) == shown


def test_our_signs_are_spelt_in_ascii() -> None:
    assert all(text.isascii() and text.isprintable() for text in PLAIN.values())
