"""What `--json` prints: plain data of plans, reports, findings and log rows."""

from acumatica_b2b.actions import Step
from acumatica_b2b.cli.rows import Shape, record_shape
from acumatica_b2b.cli.words import notes
from acumatica_b2b.decisions import Decision
from acumatica_b2b.findings import Finding
from acumatica_b2b.guard import approval
from acumatica_b2b.plan import CompanyPlan
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.report import Plan, RunReport, Trouble
from acumatica_b2b.steps import record_of
from acumatica_b2b.words import describe


def plan_shape(plan: Plan, policy: SyncPolicy) -> Shape:
    """Return a plan: what would be done, company by company, what comes with it, and why the rest would not."""
    return {
        "customers": plan.customers,
        "companies": [_company_shape(company, policy.primary_role) for company in plan.companies],
        "notes": list(notes(plan, policy)),
        "held": sorted(kind.value for kind in plan.held),
        "troubles": [trouble_shape(trouble) for trouble in plan.troubles],
    }


def _company_shape(company: CompanyPlan, primary_role: str) -> Shape:
    kinds = {name: kind.value for kind, name in company.guarded}

    def counted(step: Step) -> Shape:
        return {**step_shape(step, primary_role), "counts_as": kinds.get(approval(step))}

    return {
        "customer": company.customer,
        "steps": [counted(step) for step in company.steps],
        "on_approval": [counted(step) for step in company.on_approval],
        "findings": [finding_shape(finding) for finding in company.findings],
        "adopts": company.adopts or None,
        "removals": company.removals,
    }


def report_shape(report: RunReport, primary_role: str) -> Shape:
    """Return what a run did and found: of a very large one not all, but all is counted."""
    return {
        "run": report.run,
        "ok": report.ok,
        "customers": report.customers,
        "counts": {
            "steps": {kind.__name__: count for kind, count in report.counts.steps.items()},
            "findings": {kind.name: count for kind, count in report.counts.findings.items()},
        },
        "steps": [
            {"customer": settled.customer, **step_shape(step, primary_role)}
            for settled in report.settled
            for step in settled.steps
        ],
        "failures": report.counts.failures,
        "findings": [finding_shape(finding) for finding in report.findings],
        "troubles": [trouble_shape(trouble) for trouble in report.troubles],
        "held": sorted(kind.value for kind in report.held),
        "stopped": report.stopped,
    }


def step_shape(step: Step, primary_role: str) -> Shape:
    """Return one step."""
    return {
        "kind": type(step).__name__,
        "record": record_shape(record_of(step)),
        "what": describe(step, primary_role),
    }


def finding_shape(finding: Finding) -> Shape:
    """Return one finding, with its way out."""
    return {
        "kind": finding.kind.name,
        "record": record_shape(finding.record),
        "status": finding.status.value,
        "act_now": finding.act_now,
        "meaning": finding.meaning,
        "way_out": finding.way_out,
    }


def decision_shape(customer: str, decision: Decision, by: str) -> Shape:
    """Return what a person decided."""
    return {
        "customer": customer,
        "record": record_shape(decision.record),
        "choice": decision.choice.value,
        "id": decision.id or None,
        "by": by,
    }


def trouble_shape(trouble: Trouble) -> Shape:
    """Return a customer that could not be planned or synced."""
    return {"customer": trouble.customer, "error": str(trouble.error)}
