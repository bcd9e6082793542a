"""How the demo is shown: scene by scene to people, or all at once as JSON."""

import json
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

import click
from rich.console import Console
from rich.text import Text

from acumatica_b2b.cli import shapes
from acumatica_b2b.cli.demo import CompanyLine, Count, Scene, UserLine, play
from acumatica_b2b.cli.looks import console, counted, named, table
from acumatica_b2b.cli.render import plan_table
from acumatica_b2b.cli.rows import Shape, log_table, row_shape
from acumatica_b2b.cli.stage import staged
from acumatica_b2b.cli.story import Story, facebook, generated
from acumatica_b2b.cli.watching import stoppable
from acumatica_b2b.customer_log import LogRow
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.words import PRIMARY_ADMIN

_CUSTOMERS: Final = 50
"""How many made-up customers a seed stands for."""
_ROWS: Final = 14
"""So many rows of a table are shown."""
_FEW: Final = 5
"""Fewer companies than these are shown whole."""
_POLICY: Final = SyncPolicy()


def tell(seed: int | None, *, as_json: bool) -> bool:
    """Play the story, or that of a seed; return whether it came to its end, with nothing left to write."""
    story = facebook() if seed is None else generated(_CUSTOMERS, seed)
    with stoppable(), staged(story.dataset) as stage:
        scenes = play(story, stage)
        shown = tuple(scenes if as_json else _shown(console(), scenes, story))
    if as_json:
        click.echo(json.dumps(demo_shape(shown), indent=2))
    reports = [scene.report for scene in shown]
    # a bad record's refusal belongs to the play; an outage, or a customer that can't be read, does not
    went_on = not any(report.stopped or report.troubles for report in reports)
    return went_on and not shown[-1].writes and not any(settled.failures for settled in reports[-1].settled)


# ------------------------------------------------------------------ to people
def _shown(out: Console, scenes: Iterator[Scene], story: Story) -> Iterator[Scene]:
    """Yield the scenes, each printed first; at the end, what they cost."""
    costs = table("", "", "Sync", "Acumatica", "BigCommerce", "Time")
    writes = 0
    for number, scene in enumerate(scenes, 1):
        _begin(out, f"{number} of {len(story.acts)} · {scene.act.title}")
        _show_scene(out, scene)
        times = (_cost(scene.acumatica), _cost(scene.bigcommerce), f"{scene.seconds:.1f} s")
        costs.add_row(str(number), scene.act.title, *times)
        writes = scene.writes
        yield scene
    _begin(out, "What each sync cost")
    out.print(costs)
    if not writes:
        out.print("\nNothing had changed before the last sync, so it wrote nothing to either system.")
    out.print("Try your own changes: acumatica-b2b simulate", style="dim")


def _begin(out: Console, title: str) -> None:
    out.print()
    out.rule(Text(title, "bold"), align="left", style="blue")
    out.print()


def _show_scene(out: Console, scene: Scene) -> None:
    for line, label in zip_longest(scene.act.told, ("In Acumatica:",), fillvalue=""):
        out.print(Text.assemble((f"{label:<13} ", "dim"), line))
    out.print()
    _show_plan(out, scene)
    out.print()
    if scene.log:
        out.print(log_table("Customer Log", scene.log, timed=False, many=_ROWS))
    else:
        out.print(Text.assemble(("Customer Log", "bold"), ": no new rows"))
    out.print()
    if len(scene.companies) < _FEW:
        _show_all(out, scene)
    else:
        _show_touched(out, scene)


def _show_plan(out: Console, scene: Scene) -> None:
    if scene.plan.steps:
        out.print(plan_table(scene.plan, _POLICY.primary_role))
        return
    out.print(Text.assemble(("Plan", "bold"), ": nothing to do"))
    if len(scene.plan.findings) <= _ROWS:
        for finding in scene.plan.findings:
            out.print(Text.assemble("  ", (f"{named(finding.record)}: ", "dim"), finding.meaning))


def _show_all(out: Console, scene: Scene) -> None:
    """Print all company users and locations, with the references that Acumatica holds."""
    if not scene.companies:
        out.print(Text.assemble(("Company users", "bold"), ": there is no company yet"))
        return
    made = table("Company users", "Company", "E-mail", "Role", "In Acumatica", "Commerce Reference ID")
    for company in scene.companies:
        made.add_row(Text(company.name, "bold"), "", "", f"customer {company.customer}", company.reference)
        for user in company.users:
            contact = f"contact {user.contact}" if user.contact else ""
            made.add_row(f"  {user.name}", user.email, _role(user), contact, user.reference)
        for place, reference in company.locations:
            made.add_row("", "", "", Text(f"location {place}", "dim"), Text(reference, "dim"))
    out.print(made)


def _show_touched(out: Console, scene: Scene) -> None:
    """Print the company users that the sync had to do with, and how many there are in all."""
    concerned = {(customer, row.record.id) for customer, row in scene.log}
    made = table("Company users", "Company", "E-mail", "Role", "In Acumatica", "Reference ID")
    for column, width in zip(made.columns, (24, 25, None, None, None), strict=True):
        column.no_wrap, column.overflow, column.max_width = True, "ellipsis", width
    rows: list[Sequence[str | Text]] = []
    for company in scene.companies:
        users = [user for user in company.users if (company.customer, user.contact) in concerned]
        if users:
            rows.append((Text(company.name, "bold"), "", "", company.customer, company.reference))
        rows += [(f"  {user.name}", user.email, _role(user), user.contact, user.reference) for user in users]
    for row in rows[:_ROWS]:
        made.add_row(*row)
    if rows:
        out.print(made)
    more = f"… and {counted(len(rows) - _ROWS, 'more row')}; " if len(rows) > _ROWS else ""
    people = sum(len(company.users) for company in scene.companies)
    in_all = f"{counted(len(scene.companies), 'company', 'companies')}, {counted(people, 'company user')} in all"
    out.print(more + in_all, style="dim")


def _role(user: UserLine) -> Text:
    return Text(f"★ {PRIMARY_ADMIN}", "bold magenta") if user.primary_admin else Text(f"  {user.role}")


def _cost(count: Count) -> str:
    return f"{counted(count.requests, 'request')}, {counted(count.writes, 'write')}"


# ------------------------------------------------------------------ as JSON
def demo_shape(scenes: Sequence[Scene]) -> Shape:
    """Return how both systems stand at the end, the whole Customer Log, and each step on the way."""
    log = [(customer, row) for scene in scenes for customer, row in scene.log]
    return {
        "companies": [_company_shape(company) for company in scenes[-1].companies],
        "customer_log": [_row_shape(customer, row) for customer, row in log],
        "steps": [_scene_shape(scene) for scene in scenes],
    }


def _company_shape(company: CompanyLine) -> Shape:
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


def _row_shape(customer: str, row: LogRow) -> Shape:
    return {"customer": customer, **row_shape(row)}


def _scene_shape(scene: Scene) -> Shape:
    return {
        "title": scene.act.title,
        "edits": [edit.description for edit in scene.act.edits],
        "plan": shapes.plan_shape(scene.plan, _POLICY),
        "report": shapes.report_shape(scene.report, _POLICY.primary_role),
        "customer_log": [_row_shape(customer, row) for customer, row in scene.log],
        "companies": [_company_shape(company) for company in scene.companies],
        "requests": {"acumatica": scene.acumatica.requests, "bigcommerce": scene.bigcommerce.requests},
        "writes": {"acumatica": scene.acumatica.writes, "bigcommerce": scene.bigcommerce.writes},
        "seconds": round(scene.seconds, 3),
    }
