"""The command line `acumatica-b2b` (extra `cli`)."""

import io
import sys


def main() -> None:
    """Run the command line; say which extra to install where it is missing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a narrow code page loses a star, not the output
    try:
        from acumatica_b2b.cli.commands import cli  # noqa: PLC0415  # click is an extra, and so is rich

        cli(prog_name="acumatica-b2b")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"click", "rich"}:
            raise
        sys.exit(_without(error.name or ""))


def _without(library: str) -> int:
    message = f"the command line needs {library}, which comes with an extra: pip install 'acumatica-b2b[cli]'"
    print(message, file=sys.stderr)  # noqa: T201  # there is nothing else to say it with
    return 2
