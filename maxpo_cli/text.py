"""Text as it may be shown: nothing in it that a terminal obeys or cannot print."""

import re

UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters except tab and newline
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of writing
    "\u2028\u2029\ufeff\ufff9-\ufffb\ufffe\uffff"  # line separators, byte order mark, annotations
    "\ud800-\udfff]"  # surrogates, among them the bytes of names that are not UTF-8
)
BYTES = range(0xDC80, 0xDD00)
"""The surrogates that stand for bytes which are not UTF-8."""

PLAIN = {
    "−": "-", "–": "-", "—": "-", "‖": "||", "²": "^2", "⁴": "^4", "∇": "grad ", "Σ": "sum ",
    "∫": "integral ", "√": "sqrt ", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "·": "*", "×": "x",
    "÷": "/", "±": "+-", "∞": "inf", "→": "->", "←": "<-", "′": "'", "“": '"', "”": '"', "’": "'",
    "α": "alpha", "β": "beta", "δ": "delta", "Δ": "Delta", "λ": "lambda", "μ": "mu", "π": "pi",
    "φ": "phi", "σ": "sigma", "µ": "mu", "ĝ": "g^", "ᵀ": "^T", "\u0304": "-", "…": "...",
    "∖": "\\", "■": "#",
}  # fmt: skip
"""What stands for our signs where an encoding lacks them."""


def printable(text: str) -> str:
    """The text with each unsafe character as an escape of Python's; lines stay lines."""
    return UNSAFE.sub(lambda found: _escape(found[0]), text)


def one_line(text: str) -> str:
    """The text in one line that is safe to print."""
    return printable(" ".join(text.split()))


def plain(text: str, encoding: str) -> str:
    """The text in characters that an encoding has: our signs spelt out, others as escapes."""
    return "".join(
        character if _has(encoding, character) else PLAIN.get(character) or _escape(character)
        for character in text
    )


def _has(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _escape(character: str) -> str:
    number = ord(character)
    if number in BYTES:
        return f"\\x{number - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
