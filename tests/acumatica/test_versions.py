from typing import Any
from urllib.parse import urlsplit

import pytest

from acumatica_b2b.acumatica import Acumatica, Password
from acumatica_b2b.acumatica.versions import offers
from acumatica_b2b.check import Needs
from acumatica_b2b.errors import ConfigurationError, DecodeError, NotSentError
from acumatica_b2b.flow import Ok
from acumatica_b2b.http import Request, Response
from acumatica_b2b.model import CustomerID
from acumatica_b2b.protocols import PrimaryMarks
from acumatica_b2b.simulators.acumatica import AcumaticaSettings, AcumaticaSimulator
from acumatica_b2b.simulators.datasets import dataset
from tests.acumatica.conftest import Driver, Script, answer, configured
from tests.acumatica.test_sign_in import Time

BUILD = {"acumaticaBuildVersion": "25.093.0036", "databaseVersion": "25.093.0036"}


def rows(*offered: str) -> list[dict[str, str]]:
    """Return the rows of some endpoints, each written as `Name/Version`."""
    pairs = (text.partition("/") for text in offered)
    return [{"name": name, "version": version, "href": f"/entity/{name}/{version}/"} for name, _, version in pairs]


def instance(*offered: str, bare: bool = False) -> Script:
    """Return an instance that offers some endpoints, in either shape of the list, and holds nothing."""
    listing = rows(*offered) if bare else {"version": BUILD, "endpoints": rows(*offered)}
    return Script(lambda request: answer(listing if request.url.endswith("/entity") else []))


def paths(script: Script) -> list[str]:
    """Return the paths that were asked for, below the instance."""
    return [urlsplit(request.url).path.removeprefix("/Live/") for request in script.requests]


def options(script: Script) -> str:
    """Return the query of the first request for data."""
    return next(query for request in script.requests if (query := urlsplit(request.url).query))


@pytest.mark.parametrize("bare", [False, True])
def test_the_newest_known_version(driver: Driver, *, bare: bool) -> None:
    """Asked for no version, a client takes the newest of Default that it knows, in either shape of the list."""
    offered = ("Default/24.200.001", "eCommerce/26.200.001", "Default/25.200.001", "Default/26.100.001", "X/99")
    script = instance(*offered, bare=bare)
    driver.call(script, "read", PrimaryMarks(), None, version="")
    assert paths(script) == ["entity/auth/login", "entity", "entity/Default/25.200.001/Customer", "entity/auth/logout"]


@pytest.mark.parametrize("version", ["20.200.001", "22.200.001", "23.200.001", "24.200.001", "25.200.001"])
def test_every_version_that_is_known(version: str) -> None:
    """An instance that offers one version only, of all since 20.200.001, is spoken to in that, with its fields."""
    simulator = AcumaticaSimulator(settings=AcumaticaSettings(versions=(version,)))
    with Acumatica(configured(version=""), Password("sync", "secret"), simulator) as erp:
        assert erp.read(PrimaryMarks(), None).items == ()
    assert ("GET", f"/Live/entity/Default/{version}/Customer") in simulator.log


def test_a_version_that_is_said_is_not_asked_for(driver: Driver) -> None:
    """A version that is configured is spoken without asking what there is."""
    script = instance("Default/25.200.001")
    driver.call(script, "read", PrimaryMarks(), None, version="23.200.001")
    assert "entity" not in paths(script)


def test_asked_once(driver: Driver) -> None:
    """The version is asked for once, however many requests wait for it."""
    script = instance("Default/24.200.001")
    driver.call(script, "customers", [CustomerID(f"C{i}") for i in range(5)], version="", group=1)
    assert paths(script).count("entity") == 1


def test_asked_once_for_all_calls() -> None:
    """A client remembers the version, also when its session is renewed or it was closed meanwhile."""
    script = instance("Default/24.200.001")
    erp = Acumatica(configured(version=""), Password("sync", "secret"), script, clock=script)
    for _ in range(3):
        erp.read(PrimaryMarks(), None)
        erp.close()
    assert paths(script).count("entity") == 1


def test_a_custom_endpoint(driver: Driver) -> None:
    """Of a custom endpoint, which is asked for while signed in, the only or the highest version is taken."""
    script = instance("Default/25.200.001", "KCC/9.1", "KCC/10.0")
    driver.call(script, "read", PrimaryMarks(), None, version="", endpoint="KCC", extends="24.200.001")
    assert paths(script)[2] == "entity/KCC/10.0/Customer"
    assert "PrimaryContactID" in options(script)
    assert dict(script.requests[1].headers)["Cookie"]


def test_a_custom_endpoint_that_does_not_say_what_it_extends(driver: Driver) -> None:
    """A custom endpoint that does not say what it extends is asked only for what every version of Default has."""
    script = instance("KCC/beta")
    driver.call(script, "read", PrimaryMarks(), None, version="", endpoint="KCC")
    assert paths(script)[2] == "entity/KCC/beta/Customer"
    assert "PrimaryContact/ContactID" in options(script).replace("%2F", "/")


@pytest.mark.parametrize(
    ("endpoint", "offered", "said"),
    [
        ("KCC", ["Default/24.200.001", "MANUFACTURING/21.200.001"], "only Default, MANUFACTURING"),
        ("KCC", [], "only none"),
        ("default", ["Default/24.200.001"], "no endpoint 'default', only Default"),
        ("Default", ["Default/18.200.001"], "18.200.001 only.*20.200.001 to 25.200.001; update Acumatica"),
        ("Default", ["Default/26.100.001", "Default/26.200.001"], "26.100.001, 26.200.001 only.*update this library"),
        ("Default", ["Default/next"], "next only"),
        ("KCC", ["KCC/alpha", "KCC/beta"], "alpha, beta; say with `version`"),
    ],
)
def test_nothing_fits(driver: Driver, endpoint: str, offered: list[str], said: str) -> None:
    """Where no version fits, a ConfigurationError names those that are there; the session is signed out."""
    script = instance(*offered)
    with pytest.raises(ConfigurationError, match=said):
        driver.call(script, "read", PrimaryMarks(), None, version="", endpoint=endpoint)
    assert paths(script) == ["entity/auth/login", "entity", "entity/auth/logout"]


@pytest.mark.parametrize("body", [{"endpoints": None}, "endpoints", {"version": {}}, [{"name": "Default"}], [7]])
def test_no_list(body: Any) -> None:
    """An answer that lists no endpoints is a DecodeError."""
    with pytest.raises(DecodeError, match="endpoint"):
        offers(answer(body))


def test_a_lost_list_is_asked_for_again(driver: Driver) -> None:
    """A list of endpoints that was lost is asked for again, without a second sign-in."""
    good = instance("Default/24.200.001")
    statuses = iter([503, 200, 200])

    def flaky(request: Request) -> Response:
        return good.answers(request) if next(statuses) == 200 else Response(status=503)

    script = Script(flaky)
    driver.call(script, "read", PrimaryMarks(), None, version="")
    assert paths(script)[:3] == ["entity/auth/login", "entity", "entity"]


def test_a_list_that_never_comes(driver: Driver) -> None:
    """A sign-in that could not learn the version takes no second seat, and its session is signed out."""

    def unreachable(_: Request) -> Response:
        message = "no way"
        raise NotSentError(message)

    script = Script(unreachable)
    with pytest.raises(NotSentError):
        driver.call(script, "customers", ["C1", "C2"], version="", group=1)
    assert paths(script).count("entity/auth/login") == paths(script).count("entity/auth/logout") == 1


def test_a_list_that_comes_later() -> None:
    """A set-up that could not be learned is asked for again half a minute later, in the same session."""
    good, time = instance("Default/24.200.001"), Time()
    broken = [True]
    script = Script(lambda request: Response(status=404) if broken else good.answers(request))
    with Acumatica(configured(version=""), Password("sync", "secret"), script, clock=time) as erp:
        for seconds in (0, 29):
            time.sleep(seconds)
            with pytest.raises(ConfigurationError, match="no such endpoint"):
                erp.read(PrimaryMarks(), None)
        assert paths(script) == ["entity/auth/login", "entity"]
        broken.clear()
        time.sleep(1)
        assert erp.read(PrimaryMarks(), None).items == ()
    assert paths(script).count("entity/auth/login") == paths(script).count("entity/auth/logout") == 1


def test_a_session_that_a_check_opened() -> None:
    """A check needs no version, and a client that was checked still learns it before it reads."""
    simulator = AcumaticaSimulator(settings=AcumaticaSettings(versions=("23.200.001",)))
    with Acumatica(configured(version=""), Password("sync", "secret"), simulator) as erp:
        assert erp.check(Needs())
        assert erp.read(PrimaryMarks(), None).items == ()
    assert ("GET", "/Live/entity/Default/23.200.001/Customer") in simulator.log
    assert [path for _, path in simulator.log].count("/Live/entity/auth/login") == 1
    assert simulator.open_sessions == 0


def test_fields_are_looked_up_once(driver: Driver) -> None:
    """A field that is written without its view is looked up once, however many customers are read by it."""
    simulator = AcumaticaSimulator()
    simulator.load(dataset(4, seed=1))
    script = Script(simulator.handle, sign_in=simulator.handle, sign_out=simulator.handle)
    ids = [row.id for row in simulator.snapshot().customers]
    settings: dict[str, Any] = {
        "tenant": "Company",
        "contact_opt_in": "UsrKCEnabled",
        "version": "24.200.001",
        "group": 1,
    }
    found = driver.call(script, "customers", ids, **settings)
    assert [isinstance(outcome, Ok) for outcome in found] == [True] * 4
    assert sum(path.endswith("adHocSchema") for _, path in simulator.log) == 1
