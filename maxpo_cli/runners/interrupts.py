"""What Ctrl-C does: at first it ends the process at once, during a study it is an exception.

This is loaded before anything else, and loads nothing that takes time.
"""

import os
import signal

INTERRUPTED = 130
"""Exit status after Ctrl-C."""


def end_at_interrupts() -> None:
    """From now on Ctrl-C ends this process silently, as loading libraries may not be disturbed.

    Where interrupts are ignored, as in a background job of a shell, they stay so.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_interrupts() -> None:
    """From now on Ctrl-C raises `KeyboardInterrupt` again, for those who have to clean up."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_number: int, _frame: object) -> None:
    os._exit(INTERRUPTED)
