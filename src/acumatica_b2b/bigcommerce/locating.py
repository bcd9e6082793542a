"""Flows that find the company of an external id."""

from collections.abc import Mapping, Sequence

from acumatica_b2b.bigcommerce.api import MANY, Api, since
from acumatica_b2b.bigcommerce.known import Index
from acumatica_b2b.bigcommerce.lists import companies
from acumatica_b2b.bigcommerce.newest import COMPANIES, made_since
from acumatica_b2b.bigcommerce.records import CompanyRecord, normal_id
from acumatica_b2b.bigcommerce.spool import SpoolError
from acumatica_b2b.bigcommerce.surveying import surveyed_companies
from acumatica_b2b.errors import DecodeError, OutcomeUnknownError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome, together
from acumatica_b2b.http import attempt
from acumatica_b2b.model import CompanyRef


def locate(api: Api, refs: Sequence[CompanyRef]) -> Flow[tuple[Outcome[str | None], ...]]:
    """Return the id of the company that holds each external id; None: there is none."""
    if not refs:
        return ()
    if api.config.company_id_field is not None and len(refs) < MANY:
        return (yield from together(attempt(_by_extra_field(api, ref)) for ref in refs))
    index: Outcome[Index] = yield from attempt(_index(api, refs))
    if isinstance(index, Failed):
        return tuple(index for _ in refs)
    holders = index.value.holders()
    return tuple(_sole(ref, holders.get(normal_id(ref.external_id), ())) for ref in refs)


def _by_extra_field(api: Api, ref: CompanyRef) -> Flow[str | None]:
    name = api.config.company_id_field
    query = {"extraFields": f"{name}:{ref.external_id}", "extraFieldFilterType": "exact-match"}
    found = yield from companies(api, query)
    index = Index(held=_held(api, found.rows), read_at=found.read_at)
    match _sole(ref, index.holders().get(normal_id(ref.external_id), ())):
        case Ok(id_) if id_ is not None or found.proven:
            return id_
        case Ok():
            raise _unproven()
        case Failed(error):
            raise error


def _index(api: Api, refs: Sequence[CompanyRef]) -> Flow[Index]:
    """Return who holds which external id: a full list once, then what changed, when one is missed."""
    index = api.known.companies or _surveyed(api) or Index(held={}, read_at=0)
    holders = index.holders()
    if all(len(holders.get(normal_id(ref.external_id), ())) == 1 for ref in refs):
        return index
    turn = next(api.known.turns)
    newest = yield from made_since(api, COMPANIES, index.read_at, index.turn)
    found = newest or (yield from companies(api, since("minModified", index.read_at)))
    if not found.proven:
        raise _unproven()
    index = Index(held={**index.held, **_held(api, found.rows)}, read_at=found.read_at, turn=turn)
    api.known.companies = index
    return index


def _surveyed(api: Api) -> Index | None:
    """Return who held which external id when the store was surveyed."""
    if (taken := api.known.survey) is None:
        return None
    try:
        rows = surveyed_companies(taken)
    except (DecodeError, SpoolError):
        return None
    api.known.companies = Index(held=_held(api, rows), read_at=taken.read_at, turn=taken.turn)
    return api.known.companies


def _held(api: Api, rows: Sequence[CompanyRecord]) -> Mapping[int, str]:
    return {row.company_id: "" if row.deleted else row.external_id(api.config.company_id_field) for row in rows}


def _sole(ref: CompanyRef, ids: Sequence[int]) -> Outcome[str | None]:
    if len(ids) > 1:
        names = ", ".join(map(str, ids))
        message = (
            f"look up the company of customer {ref.customer!r}: {len(ids)} companies hold its external id"
            f" ({names}); clear it on all but one"
        )
        return Failed(RejectedError(Reason.AMBIGUOUS, message))
    return Ok(str(ids[0]) if ids else None)


def _unproven() -> OutcomeUnknownError:
    return OutcomeUnknownError("the list of companies changed while it was read, twice; look again later")
