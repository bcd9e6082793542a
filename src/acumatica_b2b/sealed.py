"""A plan as a file keeps it: digests that tell whether what it was made from, or what it would do, has changed."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from acumatica_b2b.codec import decode, encode, json_object
from acumatica_b2b.errors import DecodeError
from acumatica_b2b.model import CustomerID, Record
from acumatica_b2b.plan import CompanyPlan, kind_of
from acumatica_b2b.report import Plan
from acumatica_b2b.synclog import digest
from acumatica_b2b.terms import Expected

_SCHEMA: Final = 1


@frozen(kw_only=True)
class SealedCompany:
    """One customer's plan."""

    customer: CustomerID
    digest: str
    steps: tuple[tuple[str, Record], ...]
    guarded: tuple[str, ...] = ()
    """What an approval of it approves."""


@frozen(kw_only=True)
class SealedPlan:
    """A plan that can be approved and applied later, as long as nothing changed that it rests on."""

    store: str
    made: datetime
    companies: tuple[SealedCompany, ...]

    @property
    def expected(self) -> Mapping[CustomerID, Expected]:
        """What a run that applies it holds each customer to."""
        return {one.customer: Expected(digest=one.digest, steps=frozenset(one.steps)) for one in self.companies}

    @property
    def guarded(self) -> frozenset[str]:
        """What an approval of it approves."""
        return frozenset(name for company in self.companies for name in company.guarded)


@frozen(kw_only=True)
class _Seal:
    """What a file has beside what it shows."""

    schema: int
    check: str
    plan: Any


def seal(plan: Plan, store: str, made: datetime) -> SealedPlan:
    """Return a plan for this store as a file keeps it."""
    return SealedPlan(store=store, made=made, companies=tuple(map(_sealed, plan.companies)))


def _sealed(company: CompanyPlan) -> SealedCompany:
    steps = dict.fromkeys(kind_of(step) for step in (*company.steps, *company.on_approval))
    names = dict.fromkeys(name for _, name in company.guarded)
    return SealedCompany(customer=company.customer, digest=digest(company), steps=tuple(steps), guarded=tuple(names))


def write_sealed(sealed: SealedPlan, shown: Mapping[str, Any]) -> str:
    """Return a file's text: `shown` is what people read in it, and is not read back."""
    plan = encode(sealed)
    beside = _Seal(schema=_SCHEMA, check=_check(shown, plan), plan=plan)
    return json.dumps({**shown, "sealed": encode(beside)}, indent=2, ensure_ascii=False)


def _check(shown: Mapping[str, Any], plan: Any) -> str:
    """Return what binds a plan to what people were shown of it."""
    return digest(json.dumps([shown, plan], sort_keys=True))


def read_sealed(text: str) -> SealedPlan:
    """Return the plan that a file keeps.

    Raises:
        DecodeError: it is no such file, it is damaged, or a newer version of this library wrote it.

    """
    shown = json_object(text.encode(), "the plan's file")
    if "sealed" not in shown:
        raise DecodeError('the file has no part "sealed", so it is no plan that was written with --out')
    found = decode(shown.pop("sealed"), _Seal)
    if found.schema != _SCHEMA:
        raise DecodeError(f"the plan has schema {found.schema}; this version reads {_SCHEMA}: plan again")
    if found.check != _check(shown, found.plan):
        raise DecodeError("the plan was changed after it was written, so it may do what it does not show: plan again")
    return decode(found.plan, SealedPlan)
