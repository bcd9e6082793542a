"""What several customers of a wave want at once."""

from acumatica_b2b.actions import CreateCompany, CreateUser, Step, UpdateUser
from acumatica_b2b.effects import Now, Perform
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Batch, Failed, Ok, run
from acumatica_b2b.mapping import map_contact
from acumatica_b2b.model import CompanyID, DesiredCompany, DesiredUser, StorefrontID
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.shared import one_claim_each
from tests.bench import ADDRESS, ANNA, HERE, MARK, FrozenClock, note, storefront_id

UNTIL = FrozenClock().now()


def company(key: str) -> CompanyID:
    """Return a company's id."""
    return CompanyID(StorefrontID(key))


def mark() -> DesiredUser:
    """Return the user that Mark becomes."""
    user = map_contact(MARK, SyncPolicy())
    assert isinstance(user, DesiredUser)
    return user


def create(key: str) -> CreateUser:
    """Return the creation of Mark in a company."""
    return CreateUser(company=company(key), user=mark(), role="Senior Buyer")


def rename(email: str) -> UpdateUser:
    """Return a change of Anna's address."""
    return UpdateUser(company=company("1"), user=storefront_id("12"), contact=ANNA.id, changes=(("email", email),))


def found() -> CreateCompany:
    """Return the creation of a company with Mark as its admin."""
    wanted = DesiredCompany(
        customer=HERE, external_id=note(1, 1), name="Acme", email="a@a.example", phone="555", address=ADDRESS
    )
    return CreateCompany(company=wanted, admin=mark(), role="Admin")


def answered(*steps: Step) -> list[str]:
    """Return what becomes of steps that several customers take at once."""
    sent: list[Batch] = []

    def answer(batch: Batch) -> list[object]:
        sent.append(batch)
        return [Ok(StorefrontID(str(i))) for i in range(len(batch))]

    batch = tuple(Perform(step, UNTIL, stage=step.stage) for step in steps)
    outcomes = run(one_claim_each(batch), answer)
    assert len(sent) == 1
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            assert isinstance(outcome.error, RejectedError)
            assert outcome.error.reason is Reason.EMAIL_TAKEN
    return ["refused" if isinstance(outcome, Failed) else str(outcome.value) for outcome in outcomes]


def test_the_first_has_it() -> None:
    """Of several steps that claim one address the first has it, and every other keeps its own answer."""
    assert answered(create("1"), rename("free@acme.example"), create("2"), create("3"), rename("x@acme.example")) == [
        "0",
        "1",
        "refused",
        "refused",
        "2",
    ]


def test_every_kind_of_claim() -> None:
    """A new user, a new company's admin and a changed address claim alike."""
    assert answered(found(), create("1"), rename(MARK.email)) == ["0", "refused", "refused"]


def test_no_claims() -> None:
    """Steps that claim no address, or addresses of their own, all go out."""
    phone = UpdateUser(company=company("1"), user=storefront_id("1"), contact=MARK.id, changes=(("phone", "5"),))
    assert answered(phone, phone, create("1"), rename("free@acme.example")) == ["0", "1", "2", "3"]


def test_other_effects() -> None:
    """Effects that are no steps pass as they are."""
    assert run(one_claim_each((Now(), Now())), lambda batch: [UNTIL] * len(batch)) == [UNTIL, UNTIL]
