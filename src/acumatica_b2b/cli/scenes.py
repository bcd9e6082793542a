"""How the demo is shown: scene by scene to people, or all at once as JSON."""

import json
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

import click
from attrs import evolve
from rich.console import Console
from rich.text import Text

from acumatica_b2b.cli import shapes
from acumatica_b2b.cli.demo import CompanyLine, Count, Scene, play
from acumatica_b2b.cli.render import console, counted, log_table, named, plan_table, table
from acumatica_b2b.cli.stage import staged
from acumatica_b2b.cli.story import Story, facebook, generated
from acumatica_b2b.cli.watching import stoppable
from acumatica_b2b.cli.words import PRIMARY_ADMIN
from acumatica_b2b.customer_log import LogRow
from acumatica_b2b.policy import SyncPolicy

_CUSTOMERS: Final = 50
"""How many made-up customers a seed stands for."""
_ROWS: Final = 14
"""So many rows of a table are shown."""
_FEW: Final = 5
"""Fewer companies than these are shown whole."""
_PRIMARY_ROLE: Final = SyncPolicy().primary_role


def tell(seed: int | None, *, as_json: bool) -> bool:
    """Play the story, or that of a seed; return whether it came to its end, with nothing left to write."""
    story = facebook() if seed is None else generated(_CUSTOMERS, seed)
    with stoppable(), staged(story.dataset) as stage:
        scenes = play(story, stage)
        shown = tuple(scenes if as_json else _shown(console(), scenes, story))
    if as_json:
        click.echo(json.dumps(demo_shape(shown), indent=2, ensure_ascii=False))
    reports = [scene.report for scene in shown]
    # a bad record's refusal belongs to the play; an outage, or a customer that can't be read, does not
    went_on = not any(report.stopped or report.troubles for report in reports)
    return went_on and not shown[-1].writes and not any(settled.failures for settled in reports[-1].settled)


# ------------------------------------------------------------------ to people
def _shown(out: Console, scenes: Iterator[Scene], story: Story) -> Iterator[Scene]:
    """Yield the scenes, each printed first; at the end, what they cost."""
    costs = table("", "", "Sync", "Acumatica", "BigCommerce", "Time")
    for number, scene in enumerate(scenes, 1):
        out.print()
        out.rule(f"[bold]{number} of {len(story.acts)} · {scene.act.title}", align="left", style="blue")
        _show_scene(out, scene)
        times = (_cost(scene.acumatica), _cost(scene.bigcommerce), f"{scene.seconds:.1f} s")
        costs.add_row(str(number), scene.act.title, *times)
        yield scene
    out.print()
    out.rule("[bold]What it cost", align="left", style="blue")
    out.print(costs)
    out.print("\nNothing had changed before the last sync, so it wrote nothing to either system.")
    out.print("[dim]Try your own changes: acumatica-b2b simulate[/]")


def _show_scene(out: Console, scene: Scene) -> None:
    for line, label in zip_longest(scene.act.told, ("In Acumatica:",), fillvalue=""):
        out.print(Text.assemble((f"{label:<13} ", "dim"), line))
    out.print()
    _show_plan(out, scene)
    out.print()
    if scene.log:
        out.print(log_table("Customer Log", scene.log, timed=False, many=_ROWS))
    else:
        out.print("[bold]Customer Log[/] no new rows")
    out.print()
    _show_users(out, scene)


def _show_plan(out: Console, scene: Scene) -> None:
    if scene.plan.steps:
        out.print(plan_table(scene.plan, _PRIMARY_ROLE))
        return
    out.print("[bold]Plan[/] nothing to do")
    if len(scene.plan.findings) <= _ROWS:
        for finding in scene.plan.findings:
            out.print(Text.assemble("  ", (f"{named(finding.record)}: ", "dim"), finding.meaning))


def _show_users(out: Console, scene: Scene) -> None:
    """Print the company users that the sync had to do with, or all of one company, with their references."""
    if len(scene.companies) < _FEW:
        _show_companies(out, scene.companies)
        return
    concerned = {(customer, row.record.id) for customer, row in scene.log}
    touched = [
        evolve(company, users=users, locations=())
        for company in scene.companies
        if (users := tuple(user for user in company.users if (company.customer, user.contact) in concerned))
    ]
    if touched:
        _show_companies(out, touched)
    people = sum(len(company.users) for company in scene.companies)
    out.print(
        f"[dim]{counted(len(scene.companies), 'company', 'companies')}, {counted(people, 'company user')} in all[/]"
    )


def _show_companies(out: Console, companies: Sequence[CompanyLine]) -> None:
    if not companies:
        out.print("[bold]Company users[/] there is no company yet")
        return
    made = table("Company users", "Company", "E-mail", "Role", "In Acumatica", "Reference ID")
    for column, width in zip(made.columns, (24, 25, None, None, None), strict=True):
        column.no_wrap, column.overflow, column.max_width = True, "ellipsis", width
    rows = [row for company in companies for row in _company_rows(company)]
    for row in rows[:_ROWS]:
        made.add_row(*row)
    out.print(made)
    if len(rows) > _ROWS:
        out.print(f"[dim]… and {counted(len(rows) - _ROWS, 'more row')}[/]")


def _company_rows(company: CompanyLine) -> Iterator[Sequence[str | Text]]:
    yield (Text(company.name, "bold"), "", "", company.customer, company.reference)
    for user in company.users:
        role = Text(f"★ {PRIMARY_ADMIN}", "bold magenta") if user.primary_admin else Text(f"  {user.role}")
        yield (f"  {user.name}", user.email, role, user.contact, user.reference)
    for place, reference in company.locations:
        yield ("", "", "", Text(place, "dim"), Text(reference, "dim"))


def _cost(count: Count) -> str:
    return f"{counted(count.requests, 'request')}, {counted(count.writes, 'write')}"


# ------------------------------------------------------------------ as JSON
def demo_shape(scenes: Sequence[Scene]) -> shapes.Shape:
    """Return how both systems stand at the end, the whole Customer Log, and each step on the way."""
    log = [(customer, row) for scene in scenes for customer, row in scene.log]
    return {
        "companies": [_company_shape(company) for company in scenes[-1].companies],
        "customer_log": [_row_shape(customer, row) for customer, row in log],
        "steps": [_scene_shape(scene) for scene in scenes],
    }


def _company_shape(company: CompanyLine) -> shapes.Shape:
    return {
        "customer": company.customer,
        "name": company.name,
        "company": company.company,
        "commerce_reference": company.reference,
        "locations": [{"id": place, "commerce_reference": reference} for place, reference in company.locations],
        "users": [
            {
                "name": user.name,
                "email": user.email,
                "role": user.role,
                "primary_admin": user.primary_admin,
                "contact_id": user.contact,
                "commerce_reference": user.reference,
            }
            for user in company.users
        ],
    }


def _row_shape(customer: str, row: LogRow) -> shapes.Shape:
    return {"customer": customer, **shapes.row_shape(row)}


def _scene_shape(scene: Scene) -> shapes.Shape:
    return {
        "title": scene.act.title,
        "edits": [edit.description for edit in scene.act.edits],
        "plan": shapes.plan_shape(scene.plan, _PRIMARY_ROLE),
        "report": shapes.report_shape(scene.report, _PRIMARY_ROLE),
        "customer_log": [_row_shape(customer, row) for customer, row in scene.log],
        "companies": [_company_shape(company) for company in scene.companies],
        "requests": {"acumatica": scene.acumatica.requests, "bigcommerce": scene.bigcommerce.requests},
        "writes": {"acumatica": scene.acumatica.writes, "bigcommerce": scene.bigcommerce.writes},
        "seconds": round(scene.seconds, 3),
    }
