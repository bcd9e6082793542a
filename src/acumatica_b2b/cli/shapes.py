"""What `--json` prints: plain data of plans, reports, findings and log rows."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from acumatica_b2b.actions import Step
from acumatica_b2b.cli.words import describe, notes
from acumatica_b2b.customer_log import LogRow
from acumatica_b2b.findings import Finding
from acumatica_b2b.model import Record
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.report import Plan, RunReport, Trouble
from acumatica_b2b.steps import record_of

Shape: TypeAlias = Mapping[str, Any]


def plan_shape(plan: Plan, policy: SyncPolicy) -> Shape:
    """Return a plan: what would be done company by company, what comes with it, and why the rest would not."""
    return {
        "companies": [
            {
                "customer": company.customer,
                "steps": [step_shape(step, policy.primary_role) for step in company.steps],
                "findings": [finding_shape(finding) for finding in company.findings],
                "adopts": company.adopts or None,
                "removals": company.removals,
            }
            for company in plan.companies
        ],
        "notes": list(notes(plan, policy)),
        "troubles": [trouble_shape(trouble) for trouble in plan.troubles],
    }


def report_shape(report: RunReport, primary_role: str) -> Shape:
    """Return what a run did and found."""
    return {
        "run": report.run,
        "ok": report.ok,
        "customers": report.customers,
        "steps": [
            {"customer": settled.customer, **step_shape(step, primary_role)}
            for settled in report.settled
            for step in settled.steps
        ],
        "failures": sum(settled.failures for settled in report.settled),
        "findings": [finding_shape(finding) for finding in report.findings],
        "troubles": [trouble_shape(trouble) for trouble in report.troubles],
        "held": sorted(kind.value for kind in report.held),
        "stopped": report.stopped,
    }


def row_shape(row: LogRow) -> Shape:
    """Return one line of the Customer Log."""
    return {
        "at": row.at.isoformat(),
        "record": record_shape(row.record),
        "what": row.what,
        "status": row.status.value,
        "commerce_reference": row.id,
        "message": row.message,
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


def trouble_shape(trouble: Trouble) -> Shape:
    """Return a customer that could not be planned or synced."""
    return {"customer": trouble.customer, "error": str(trouble.error)}


def record_shape(record: Record) -> Shape:
    """Return which ERP record it is."""
    return {"kind": record.kind.value, "id": record.id}
