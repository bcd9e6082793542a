"""What a run did, and what a plan for several customers would do: values made to be looked at."""

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

from attrs import Factory, field, frozen

from acumatica_b2b.actions import Step
from acumatica_b2b.errors import UnsafePlanError
from acumatica_b2b.findings import Finding, FindingKind
from acumatica_b2b.model import CustomerID
from acumatica_b2b.plan import CompanyPlan
from acumatica_b2b.policy import Guarded
from acumatica_b2b.terms import Settled


@frozen(kw_only=True)
class Trouble:
    """A customer that could not be planned or synced, and why."""

    customer: CustomerID
    error: Exception


Result: TypeAlias = Settled | Trouble


@frozen(kw_only=True)
class Counts:
    """How much there was of everything, of all customers."""

    steps: Counter[type[Step]] = field(factory=Counter[type[Step]], hash=False)
    """How many steps of each kind were taken."""
    findings: Counter[FindingKind] = field(factory=Counter[FindingKind], hash=False)
    failures: int = 0
    """How many steps were refused or went unanswered."""
    troubles: int = 0
    """How many customers could not be synced."""
    held: Counter[Guarded] = field(factory=Counter[Guarded], hash=False)
    """At how many customers the guard held something back."""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            steps=self.steps + other.steps,
            findings=self.findings + other.findings,
            failures=self.failures + other.failures,
            troubles=self.troubles + other.troubles,
            held=self.held + other.held,
        )

    def replacing(self, before: "Counts") -> "Counts":
        """Return what is left where customers stand otherwise now than before: the steps stay."""
        return Counts(
            steps=self.steps,
            findings=self.findings - before.findings,
            failures=self.failures - before.failures,
            troubles=self.troubles - before.troubles,
            held=self.held - before.held,
        )


def counts_of(results: Iterable[Result]) -> Counts:
    """Return how much there is of everything in these results."""
    every = tuple(results)
    settled = [result for result in every if isinstance(result, Settled)]
    return Counts(
        steps=Counter(type(step) for one in settled for step in one.steps),
        findings=Counter(finding.kind for one in settled for finding in one.findings),
        failures=sum(one.failures for one in settled),
        troubles=len(every) - len(settled),
        held=Counter(kind for one in settled for kind in one.held),
    )


@frozen(kw_only=True)
class RunReport:
    """What a run did.

    `settled` holds the customers with whom something was done or is to be told. Of a run that did very much it holds
    those with a failure or something to act on now, and as many others as `ContactSync.told` says; `counts` is of all.
    """

    run: str
    customers: int = 0
    settled: tuple[Settled, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    held: frozenset[Guarded] = frozenset()
    """What the guard held back."""
    stopped: str = ""
    """Why the run ended early; what is done stays."""
    counts: Counts = field(
        default=Factory(lambda report: counts_of((*report.settled, *report.troubles)), takes_self=True)
    )
    """How many steps, findings and failures there were, those of which nothing more is kept included."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of `settled`, those to act on now first."""
        every = [finding for settled in self.settled for finding in settled.findings]
        return tuple(sorted(every, key=lambda finding: not finding.act_now))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of `settled`."""
        return tuple(step for settled in self.settled for step in settled.steps)

    def require_unheld(self) -> None:
        """Return where the guard let everything pass.

        Raises:
            UnsafePlanError: it held something back.

        """
        if self.held:
            kinds = ", ".join(sorted(kind.value for kind in self.held))
            raise UnsafePlanError(
                f"run {self.run!r} was to go beyond the limits on {kinds}, which were held back; "
                "look at the plan, and approve it if it is right"
            )

    @property
    def ok(self) -> bool:
        """Whether nothing failed and nothing is to be acted on now."""
        failed = self.stopped or self.counts.troubles or self.counts.failures
        return not failed and not any(kind.about.act_now for kind in self.counts.findings)


@frozen(kw_only=True)
class Plan:
    """What a run over these customers would do, company by company.

    Of a plan for everybody those are left out with whom nothing is to be done and of whom nothing is to be told.
    """

    companies: tuple[CompanyPlan, ...]
    customers: int = field(default=Factory(lambda plan: len(plan.companies), takes_self=True))
    """How many were looked at."""
    troubles: tuple[Trouble, ...] = ()
    held: frozenset[Guarded] = frozenset()
    """Of what it has more than may go out without a person's approval."""
    approved: frozenset[str] = frozenset()
    """What people approved lately, as `guard.approval` names it."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps that would be taken."""
        return tuple(step for company in self.companies for step in company.steps)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, those to act on now first."""
        every = [finding for company in self.companies for finding in company.findings]
        return tuple(sorted(every, key=lambda finding: not finding.act_now))
