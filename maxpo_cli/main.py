"""The `maxpo` command as it starts, before anything that takes time is loaded."""

from maxpo_cli.runners.interrupts import end_at_interrupts


def main() -> None:
    """Runs the command line; Ctrl-C ends it silently from the beginning."""
    end_at_interrupts()
    from maxpo_cli.app import main

    main()
