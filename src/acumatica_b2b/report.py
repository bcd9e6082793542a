"""What a run did, and what a plan for several customers would do: values made to be looked at."""

from attrs import frozen

from acumatica_b2b.actions import Step
from acumatica_b2b.errors import UnsafePlanError
from acumatica_b2b.findings import Finding
from acumatica_b2b.model import CustomerID
from acumatica_b2b.plan import CompanyPlan
from acumatica_b2b.policy import Guarded
from acumatica_b2b.terms import Settled


@frozen(kw_only=True)
class Trouble:
    """A customer that could not be planned or synced, and why."""

    customer: CustomerID
    error: Exception


@frozen(kw_only=True)
class RunReport:
    """What a run did. `settled` holds the customers with whom something was done or is to be told."""

    run: str
    customers: int = 0
    settled: tuple[Settled, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    held: frozenset[Guarded] = frozenset()
    """What the guard held back."""
    stopped: str = ""
    """Why the run ended early; what is done stays."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, those to act on now first."""
        every = [finding for settled in self.settled for finding in settled.findings]
        return tuple(sorted(every, key=lambda finding: not finding.act_now))

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps that were taken."""
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
        failed = self.stopped or self.troubles or any(settled.failures for settled in self.settled)
        return not failed and not any(finding.act_now for finding in self.findings)


@frozen(kw_only=True)
class Plan:
    """What a run over these customers would do, company by company."""

    companies: tuple[CompanyPlan, ...]
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
