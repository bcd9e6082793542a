"""A survey of the shop before a run over everything: what it shows confirms what we know, and decides nothing.

Who has something to do, or something to record, is looked at afresh. So a survey may be an hour old.
"""

from attrs import evolve

from acumatica_b2b.effects import Source, Survey
from acumatica_b2b.errors import AuthenticationError, DecodeError, RemoteError
from acumatica_b2b.flow import Flow, ask
from acumatica_b2b.protocols import Everything
from acumatica_b2b.runlog import RunState
from acumatica_b2b.terms import Terms


def surveyed(source: Source, state: RunState, terms: Terms, wave: int) -> Flow[Terms]:
    """Return the terms of a first look at every customer, before which the shop may read all its companies at once.

    Those of a single wave are read together anyhow.
    """
    if not isinstance(source, Everything) or state.tally.companies <= wave:
        return terms
    yield from _announced(state.tally.companies)
    return evolve(terms, surveyed=True)


def survey_over(terms: Terms) -> Flow[None]:
    """Let the shop forget what it read, if anything."""
    if terms.surveyed:
        yield from _announced(0)


def _announced(companies: int) -> Flow[None]:
    try:
        yield from ask(Survey(companies))
    except AuthenticationError:
        raise
    except (RemoteError, DecodeError):
        pass  # each company is looked at by itself, and says what is wrong
