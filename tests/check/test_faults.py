import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from attrs import define, evolve, frozen

from acumatica_b2b.check import Part, Verdict
from acumatica_b2b.errors import NotSentError, StoreError
from acumatica_b2b.http import Request, Response, Transport
from acumatica_b2b.keys import customer_key
from acumatica_b2b.model import CustomerID
from acumatica_b2b.policy import ExistingShoppers
from acumatica_b2b.protocols import Commit, LogKey
from acumatica_b2b.simulators import AcumaticaSimulator, ExtraField
from acumatica_b2b.simulators.acumatica import (
    CONNECTION_TYPE,
    CONTACT_REFERENCE,
    DEFAULT_CUSTOM_FIELDS,
    ENABLED,
    CustomField,
    CustomKind,
)
from acumatica_b2b.stores import MemoryStore
from tests.check.conftest import CUSTOMERS, SECRETS, Setup, right


# ------------------------------------------------------------------ what may be wrong
@frozen(kw_only=True)
class Fault:
    """A way to spoil a set-up, and what has to be said of it."""

    spoil: Callable[[Setup], None]
    part: Part
    about: str
    said: str
    way_out: str


def erp(**settings: Any) -> Callable[[Setup], None]:
    """Return a spoiling of the instance's settings."""

    def spoil(setup: Setup) -> None:
        setup.erp = AcumaticaSimulator(settings=evolve(setup.erp.settings, **settings)).load(CUSTOMERS)

    return spoil


def fields(*contact_fields: CustomField) -> Callable[[Setup], None]:
    """Return a spoiling of the custom fields of contacts."""
    return erp(custom_fields={**DEFAULT_CUSTOM_FIELDS, "Contact": contact_fields})


def configured(**values: Any) -> Callable[[Setup], None]:
    """Return a spoiling of how the ERP is reached."""

    def spoil(setup: Setup) -> None:
        setup.erp_config = evolve(setup.erp_config, **values)

    return spoil


def store(**values: Any) -> Callable[[Setup], None]:
    """Return a spoiling of how the shop is reached."""

    def spoil(setup: Setup) -> None:
        setup.shop_config = evolve(setup.shop_config, **values)

    return spoil


def policy(**values: Any) -> Callable[[Setup], None]:
    """Return a spoiling of the policy."""

    def spoil(setup: Setup) -> None:
        setup.policy = evolve(setup.policy, **values)

    return spoil


def answered(path: str, status: int, body: Mapping[str, object]) -> Callable[[Setup], None]:
    """Return a spoiling of the shop: whoever asks for a path is answered so."""

    def spoil(setup: Setup) -> None:
        asked = lambda request: request.url.partition("?")[0].endswith(path)  # noqa: E731  # it is an argument
        setup.shop.fail_next(status, body, 99, concerns=asked)

    return spoil


def listed(path: str, *rows: Mapping[str, object]) -> Callable[[Setup], None]:
    """Return a spoiling of the shop: a list has these rows."""
    paging = {"totalCount": len(rows), "limit": 50, "offset": 0}
    return answered(path, 200, {"code": 200, "data": rows, "meta": {"message": "Success", "pagination": paging}})


def extra_field(resource: Any, **values: Any) -> Callable[[Setup], None]:
    """Return a spoiling of the shop: one more extra field."""
    return lambda setup: setup.shop.define_extra_field(resource, ExtraField(**values))


def another_role(name: str) -> Callable[[Setup], None]:
    """Return a spoiling of the shop: one more role."""

    def spoil(setup: Setup) -> None:
        setup.shop.add_role(name)

    return spoil


def all_of(*spoilings: Callable[[Setup], None]) -> Callable[[Setup], None]:
    """Return several spoilings as one."""

    def spoil(setup: Setup) -> None:
        for one in spoilings:
            one(setup)

    return spoil


def full_house(setup: Setup) -> None:
    """Take the only two seats of the licence."""
    erp(seats=2)(setup)
    for _ in range(2):
        body = b'{"name": "sync", "password": "hunter2-password"}'
        setup.erp.handle(Request(method="POST", url="https://erp.example/Live/entity/auth/login", body=body))


def wrong_password(setup: Setup) -> None:
    """Sign in with another password."""
    setup.password = "wrong-password"


@frozen
class Away:
    """A host that nobody reaches."""

    def send(self, request: Request, /) -> Response:
        """Fail to connect."""
        raise NotSentError(f"the request to {request.url.split('/')[2]!r} was not sent: no route to that host")


@frozen
class Blind:
    """An instance that shows a field in its schema, and to this user in no record."""

    erp: AcumaticaSimulator

    def send(self, request: Request, /) -> Response:
        """Return the answer without what was asked for."""
        response = self.erp.send(request)
        return (
            evolve(response, body=response.body.replace(b'"UsrKCEnabled"', b'"UsrOther"'))
            if ("adHocSchema" not in request.url)
            else response
        )


def through(transport: Callable[[AcumaticaSimulator], Transport]) -> Callable[[Setup], None]:
    """Return a spoiling of the way to the ERP."""

    def spoil(setup: Setup) -> None:
        setup.to_erp = transport

    return spoil


def known_elsewhere(setup: Setup) -> None:
    """Let the log know customers of another tenant."""
    keys = [customer_key(setup.policy, CustomerID(name)) for name in ("ELSEWHERE1", "ELSEWHERE2")]
    setup.store.append([Commit(key=key, version=1, body="{}") for key in keys])


@define
class Forgetful(MemoryStore):
    """A store that keeps two commits of one version."""

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Claim that each was kept."""
        super().append(commits)
        return [True for _ in commits]


@define
class Locked(MemoryStore):
    """A store that can't be read."""

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Fail."""
        raise StoreError(f"{len(keys)} logs can't be read: the database is locked; end the process that locks it")


def with_store(make: Callable[[], MemoryStore]) -> Callable[[Setup], None]:
    """Return a spoiling of the sync log."""

    def spoil(setup: Setup) -> None:
        setup.store = make()

    return spoil


ERP, SHOP, LOG = Part.ERP, Part.STOREFRONT, Part.LOG
BOOLEAN, NUMBER = CustomKind.BOOLEAN, CustomKind.INT
TYPE, REFERENCE = CustomField(name=CONNECTION_TYPE), CustomField(name=CONTACT_REFERENCE)
ON = CustomField(name=ENABLED, kind=BOOLEAN)
COMPANY = {"companyId": 12711142, "companyName": "Facebook"}
CHANNEL = {"id": 754, "channelId": 1, "name": "Main", "status": "active", "b2bEnabled": False}


def fault(spoil: Callable[[Setup], None], part: Part, about: str, said: str, way_out: str) -> Fault:
    """Return a fault."""
    return Fault(spoil=spoil, part=part, about=about, said=said, way_out=way_out)


FAULTS = {
    "host away": fault(through(lambda _: Away()), ERP, "address", "no route to that host", "check `url`"),
    "damaged endpoint": fault(erp(broken_metadata=True), ERP, "address", "redirect (302)", "SM207060"),
    "wrong password": fault(wrong_password, ERP, "sign-in", "Invalid credentials", "check name, password and tenant"),
    "unknown tenant": fault(
        all_of(erp(tenants=("One", "Two")), configured(tenant="Three")), ERP, "sign-in", "company ID", "`tenant`"
    ),
    "full house": fault(full_house, ERP, "sign-in", "API Login Limit", "SM604000"),
    "version absent": fault(
        erp(versions=("20.200.001", "22.200.001")), ERP, "endpoint", "no version 24.200.001", "20.200.001, 22.200.001"
    ),
    "endpoint absent": fault(
        configured(endpoint="Kensium", version="1", extends="24.200.001"), ERP, "endpoint", "'Kensium'", "Default"
    ),
    "form without rights": fault(
        erp(forbidden=frozenset({"Contact"})), ERP, "rights to Contact", "(CR302000)", "access rights to that form"
    ),
    "field missing": fault(fields(TYPE, REFERENCE), ERP, "opt-in", f"no field '{ENABLED}'", "UsrKC"),
    "no field at all": fault(
        all_of(fields(), configured(connection_type=None, contact_reference=None)),
        ERP,
        "opt-in",
        f"no field '{ENABLED}'",
        "publish",
    ),
    "field in another view": fault(
        fields(CustomField(name="ContactCurrent2.UsrKCEnabled", kind=BOOLEAN), TYPE, REFERENCE),
        ERP,
        "opt-in",
        "but in ContactCurrent2",
        "'ContactCurrent2.UsrKCEnabled'",
    ),
    "reference is no text": fault(
        fields(ON, TYPE, CustomField(name=CONTACT_REFERENCE, kind=NUMBER)),
        ERP,
        "reference of contacts",
        "is a number",
        "a text",
    ),
    "plain field missing": fault(
        configured(contact_reference="ExtRefNumber"), ERP, "reference of contacts", "'ExtRefNumber'", "ExtRefNbr"
    ),
    "reference field too short": fault(
        all_of(configured(contact_reference="ExtRefNbr"), policy(reference_length=60)),
        ERP,
        "reference of contacts",
        "holds 40 characters",
        "reference_length to 40",
    ),
    "field not shown to the user": fault(
        through(Blind), ERP, "contacts", f"{ENABLED} did not come", "access rights by field"
    ),
    "another tenant": fault(known_elsewhere, ERP, "tenant", "'ELSEWHERE1'", "correct the tenant"),
    "wrong token": fault(store(token="wrong-token"), SHOP, "token", "refuses the token (401)", "copy token"),
    "wrong store hash": fault(store(store_hash="other"), SHOP, "token", "(401)", "store hash"),
    "store hash of nobody": fault(answered("/companies", 500, {}), SHOP, "token", "(500)", "store_hash"),
    "token without scope": fault(
        answered("/companies", 403, {"code": 403}), SHOP, "token", "lacks a right", "'B2B Edition: modify'"
    ),
    "no B2B Edition": fault(answered("/companies", 404, {"code": 404}), SHOP, "token", "no B2B Edition", "`url`"),
    "role missing": fault(policy(primary_role="Owner"), SHOP, "roles", "no role 'Owner'", "'Admin'"),
    "role twice": fault(
        all_of(another_role("Owner"), another_role("Owner"), policy(primary_role="Owner")),
        SHOP,
        "roles",
        "2 roles 'Owner'",
        "name one of its roles",
    ),
    "no such storefront": fault(store(channel_ids=(7,)), SHOP, "channels", "one storefront", "channel_ids to [1]"),
    "channel missing": fault(
        all_of(listed("/channels", {**CHANNEL, "b2bEnabled": True}), store(channel_ids=(1, 7))),
        SHOP,
        "channels",
        "no channel 7",
        "1 (Main)",
    ),
    "channel of a site missing": fault(
        all_of(listed("/channels", {**CHANNEL, "b2bEnabled": True}), store(channels={"Site": 8})),
        SHOP,
        "channels",
        "no channel 8",
        "channels",
    ),
    "channel disabled": fault(listed("/channels", CHANNEL), SHOP, "channels", "not enabled for B2B", "enable it"),
    "required field of users": fault(
        extra_field("users", name="Cost centre", required=True),
        SHOP,
        "extra fields of users",
        "company user needs 'Cost centre'",
        "mapping",
    ),
    "required field of addresses": fault(
        extra_field("addresses", name="Dock", required=True), SHOP, "extra fields of addresses", "'Dock'", "optional"
    ),
    "external id field missing": fault(
        store(company_id_field="Nr"), SHOP, "external ID of companies", "no extra field 'Nr'", "'ERP ID'"
    ),
    "external id field not unique": fault(
        all_of(extra_field("companies", name="Nr"), store(company_id_field="Nr")),
        SHOP,
        "external ID of companies",
        "not unique",
        "mark it unique",
    ),
    "external id field too short": fault(
        all_of(extra_field("companies", name="Nr", unique=True, longest=20), store(company_id_field="Nr")),
        SHOP,
        "external ID of companies",
        "holds 20 characters",
        "36",
    ),
    "Dependent without catalog": fault(
        listed("/companies", {**COMPANY, "catalogId": 12}), SHOP, "company behaviour", "Dependent", "have 12"
    ),
    "reference too long": fault(
        policy(reference_format="BC-{id}", reference_length=10), SHOP, "length of references", "11 characters", "raise"
    ),
    "shoppers unknown": fault(
        all_of(policy(existing_shoppers=ExistingShoppers.HOLD), answered("/v3/customers", 403, {})),
        SHOP,
        "existing shoppers",
        "read customers",
        "'Customers: read-only'",
    ),
    "log keeps a version twice": fault(with_store(Forgetful), LOG, "writing", "two commits of one version", "append()"),
    "log locked": fault(with_store(Locked), LOG, "reading", "is locked", "end the process"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_named_with_its_way_out(name: str) -> None:
    """Of a set-up with one fault the check names that fault and its way out, sync and async, and nothing else."""
    expected, setup = FAULTS[name], right()
    expected.spoil(setup)
    before = setup.erp.writes, setup.shop.writes
    sessions = setup.erp.open_sessions
    result = setup.check()
    assert [(one.part, one.about) for one in result.wrong] == [(expected.part, expected.about)]
    (wrong,) = result.wrong
    assert expected.said in wrong.said
    assert expected.way_out in wrong.way_out
    assert not result.ok
    shown = repr(result)
    assert [secret for secret in SECRETS if secret in shown] == []
    assert asyncio.run(setup.acheck()) == result
    assert (setup.erp.writes, setup.shop.writes) == before
    assert setup.erp.open_sessions == sessions


def test_nothing_is_wrong_with_a_right_set_up() -> None:
    """A right set-up has nothing wrong, everything is looked at, and what somebody should know is noted."""
    setup = right()
    result = setup.check()
    assert result.ok
    assert {one.verdict for one in result.checks} == {Verdict.GOOD, Verdict.NOTE}
    notes = {one.about: one for one in result.checks if one.verdict is Verdict.NOTE}
    assert "Forgot your password?" in notes["passwords"].way_out
    assert notes.keys() == {"passwords", "tenant", "company behaviour", "reading"}
    assert (setup.erp.writes, setup.shop.writes, setup.erp.open_sessions) == (0, 0, 0)


def test_what_rests_on_a_fault_is_not_looked_at() -> None:
    """A wrong password leaves what needs a session aside, with the reason; the other system is looked at in full."""
    setup = right()
    wrong_password(setup)
    result = setup.check()
    verdicts = {one.about: one for one in result.checks}
    assert verdicts["address"].verdict is Verdict.GOOD
    rest = [one for one in result.checks if one.part is ERP and one.about not in {"address", "sign-in"}]
    assert {(one.verdict, one.said) for one in rest} == {(Verdict.NOT_LOOKED_AT, "because of the sign-in")}
    assert {"endpoint", "rights to Contact", "fields of Contact", "contacts", "tenant"} <= {one.about for one in rest}
    assert Verdict.NOT_LOOKED_AT not in {one.verdict for one in result.checks if one.part is not ERP}
    logins = [path for method, path in setup.erp.log if path.endswith("/auth/login")]
    assert len(logins) == 1


def test_several_faults_are_all_named() -> None:
    """Faults that don't rest on one another are named together, in both systems and the log."""
    setup = right()
    for name in ("form without rights", "plain field missing", "role missing", "required field of users"):
        FAULTS[name].spoil(setup)
    setup.erp_config = evolve(setup.erp_config, contact_reference=CONTACT_REFERENCE, customer_reference="AccountReff")
    found = [one.about for one in setup.check().wrong]
    assert found == ["reference of customers", "rights to Contact", "roles", "extra fields of users"]
