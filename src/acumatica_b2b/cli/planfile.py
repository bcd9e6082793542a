"""A plan in a file: what `plan --out` writes, and what `approve` and `apply` read."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from attrs import frozen

from acumatica_b2b.cli.shapes import plan_shape
from acumatica_b2b.errors import ConfigurationError, DecodeError
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.report import Plan
from acumatica_b2b.sealed import SealedPlan, read_sealed, seal, write_sealed


@frozen(kw_only=True)
class PlanFile:
    """What a file keeps: the plan, and what people were shown of it."""

    sealed: SealedPlan
    shown: Mapping[str, Any]


def write_plan(file: Path, plan: Plan, policy: SyncPolicy, made: datetime) -> PlanFile | None:
    """Keep a plan in a file that only its owner can read; return the older plan that it takes the place of.

    Raises:
        ConfigurationError: the file can't be written, or is no plan and so somebody's.

    """
    before = read_plan(file, "to be written over") if file.exists() else None
    text = write_sealed(seal(plan, policy.store, made), plan_shape(plan, policy))
    try:
        _replace(file, text)
    except OSError as error:
        raise ConfigurationError(f"the plan can't be written to {str(file)!r}: {error.strerror}") from None
    return before


def _replace(file: Path, text: str) -> None:
    """Put a text into a file all at once; mode 600 is that of every file made so."""
    handle, name = mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text + "\n")
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def read_plan(file: Path, wish: str = "to be read") -> PlanFile:
    """Return what a file keeps.

    Raises:
        ConfigurationError: it is no plan, or was changed since it was written.

    """
    try:
        text = file.read_text(encoding="utf-8")
        return PlanFile(sealed=read_sealed(text), shown=json.loads(text))
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {str(file)!r}; write one with plan --out") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"file {str(file)!r} is {wish} as a plan and is no text: name another one") from None
    except OSError as error:
        raise ConfigurationError(f"file {str(file)!r} can't be read: {error.strerror}") from None
    except DecodeError as error:
        raise ConfigurationError(f"file {str(file)!r} is {wish} as a plan: {error}") from None
