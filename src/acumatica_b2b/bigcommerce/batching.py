"""Updates of companies, ten at a time."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from acumatica_b2b.actions import UpdateCompany
from acumatica_b2b.bigcommerce.api import Api, earlier, in_slices, number
from acumatica_b2b.bigcommerce.changing import change
from acumatica_b2b.bigcommerce.creating import BULK
from acumatica_b2b.bigcommerce.errors import classify_bulk, moment, refusal
from acumatica_b2b.bigcommerce.newest import latest
from acumatica_b2b.bigcommerce.records import CompanyRecord, normal_id
from acumatica_b2b.bigcommerce.updating import company_fields
from acumatica_b2b.errors import RejectedError
from acumatica_b2b.flow import Failed, Flow, Ok, Outcome
from acumatica_b2b.http import Response, attempt
from acumatica_b2b.model import StorefrontID


@frozen(kw_only=True)
class _Batch:
    """What came of a bulk call; what is not in `done` has to be sent singly."""

    done: Mapping[UpdateCompany, Outcome[StorefrontID]]
    stamp: int = 0


def update_companies(api: Api, actions: Sequence[UpdateCompany]) -> Flow[tuple[Outcome[StorefrontID], ...]]:
    """Return the id of each company that was changed, or why it was not."""
    plain = [action for action in dict.fromkeys(actions) if _is_plain(api, action)]
    chunks = [chunk for i in range(0, len(plain), BULK) if len(chunk := plain[i : i + BULK]) > 1]
    batches = yield from in_slices(_in_bulk(api, chunk) for chunk in chunks)
    done = {action: outcome for batch in batches for action, outcome in batch.done.items()}
    dropped = yield from _dropped(api, batches)
    rest = [action for action in dict.fromkeys(actions) if action in dropped or action not in done]
    singly: Sequence[Outcome[StorefrontID]] = yield from in_slices(attempt(change(api, each, {})) for each in rest)
    done |= dict(zip(rest, singly, strict=True))
    return tuple(done[action] for action in actions)


def _is_plain(api: Api, action: UpdateCompany) -> bool:
    """Tell whether a bulk call can do it: neither the status nor extra fields, which have to be read first."""
    try:
        number(action.company, "company")
        plain, extra = company_fields(api, tuple(pair for pair in action.changes if pair[0] != "active"))
    except RejectedError:
        return False  # a single call tells why
    return bool(plain) and not extra and "active" not in dict(action.changes)


def _in_bulk(api: Api, actions: Sequence[UpdateCompany]) -> Flow[_Batch]:
    rows = [{"companyId": int(each.company), **company_fields(api, each.changes)[0]} for each in actions]
    put = api.write("PUT", "companies", "bulk", body=rows, repeatable=True, classify=classify_bulk)
    answer: Outcome[Response] = yield from attempt(put)
    for action in actions:
        api.known.changed_company(action.company)
    if isinstance(answer, Failed):
        return _Batch(done=dict.fromkeys(actions, answer))
    if refusal(answer.value) is not None:
        return _Batch(done={})  # whatever was done of it, sent once more it gets its own answer
    done = {action: Ok(StorefrontID(action.company)) for action in actions}
    return _Batch(done=done, stamp=earlier(api, moment(answer.value)))


def _dropped(api: Api, batches: Sequence[_Batch]) -> Flow[frozenset[UpdateCompany]]:
    """Return the changes of external ids that don't show: the batch update is not documented to take them."""
    answered = [batch for batch in batches if any(isinstance(outcome, Ok) for outcome in batch.done.values())]
    claims = {
        action: normal_id(dict(action.changes)["external_id"])
        for batch in answered
        for action in batch.done
        if "external_id" in dict(action.changes)
    }
    if not claims:
        return frozenset()
    stamp = min(batch.stamp for batch in answered)
    listed: Outcome[Mapping[int, CompanyRecord]] = yield from attempt(
        latest(api, {int(action.company) for action in claims}, stamp)
    )
    rows = listed.value.values() if isinstance(listed, Ok) else ()
    held = {str(row.company_id): row.external_id(None) for row in rows}
    return frozenset(action for action, external_id in claims.items() if held.get(action.company) != external_id)
