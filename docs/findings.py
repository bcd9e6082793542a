"""Prints the table of all findings for rules.md: `python docs/findings.py`."""

from acumatica_b2b import FindingKind

_HEAD = ("| finding | status | meaning | way out |", "|---|---|---|---|")


def table() -> str:
    """Return the table, in the order of the code; `…` stands for what a finding names."""
    return "\n".join((*_HEAD, *map(_row, FindingKind)))


def _row(kind: FindingKind) -> str:
    about = kind.about
    status = about.status.value + (", **act now**" if about.act_now else "")
    return f"| {kind.name} | {status} | {about.meaning.replace('{}', '…')} | {about.way_out} |"


if __name__ == "__main__":
    print(table())
