"""Both simulators behind loopback HTTP, with the configuration that fits them."""

import secrets
import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx
from attrs import define, field, frozen

from acumatica_b2b.cli.config import PASSWORD, TOKEN
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.simulators import AcumaticaSettings, AcumaticaSimulator, Dataset, Edit
from acumatica_b2b.simulators.acumatica import (
    CONNECTION_TYPE,
    CONTACT_REFERENCE,
    CUSTOMER_REFERENCE,
    ENABLED,
    LOCATION_REFERENCE,
)
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from acumatica_b2b.simulators.server import Server

FIRST_LINE: Final = "# For the simulators of `acumatica-b2b simulate`, as long as they run."
_PASSWORD: Final = "simulated-password"  # noqa: S105  # opens nothing
_TOKEN: Final = "simulated-token"  # noqa: S105  # as above

_TOML: Final = f"""\
{FIRST_LINE}
[acumatica]
url = "{{acumatica}}"
tenant = "{{tenant}}"
name = "{{name}}"
opt_in = "{ENABLED}"
connection_type = "{CONNECTION_TYPE}"
reference_customer = "{CUSTOMER_REFERENCE}"
reference_contact = "{CONTACT_REFERENCE}"
reference_location = "{LOCATION_REFERENCE}"
write_deadline = 10.0

[bigcommerce]
url = "{{bigcommerce}}"
core_url = "{{core}}"
store_hash = "{{store_hash}}"
deadline = 10.0

[log]
file = '{{log}}'

[policy]
connection_types = ["B2B"]
lease = 20.0 # seconds until a killed sync is taken up again; longer than both deadlines
"""


@frozen(kw_only=True)
class Stage:
    """Both systems at work, and what a command has to be told of them."""

    acumatica: AcumaticaSimulator
    bigcommerce: BigCommerceSimulator
    acumatica_url: str
    bigcommerce_url: str
    toml: str
    environ: Mapping[str, str] = field(repr=False)


@contextmanager
def staged(
    dataset: Dataset, *, requests_per_minute: int | None = None, ports: tuple[int, int] = (0, 0)
) -> Generator[Stage]:
    """Serve a data set and an empty shop while the block runs; port 0 takes a free one.

    Raises:
        ConfigurationError: a port is taken.

    """
    # over a real wire every request says how long it is, which a real instance insists on
    settings = AcumaticaSettings(password=_PASSWORD, demands_length=True)
    acumatica = AcumaticaSimulator(settings=settings).load(dataset)
    bigcommerce = BigCommerceSimulator(token=_TOKEN, requests_per_minute=requests_per_minute)
    with ExitStack() as closing:
        folder = closing.enter_context(tempfile.TemporaryDirectory(prefix="acumatica-b2b-", ignore_cleanup_errors=True))
        erp, shop = _served(acumatica, ports[0], closing), _served(bigcommerce, ports[1], closing)
        urls = (f"{erp.url}/Simulated", f"{shop.url}/api/v3/io")
        toml = _TOML.format(
            acumatica=urls[0],
            tenant=settings.tenants[0],
            name=settings.username,
            bigcommerce=urls[1],
            core=shop.url,
            store_hash=bigcommerce.store_hash,
            # new simulators know nothing of an old log
            log=Path(folder, f"sync-{secrets.token_hex(3)}.sqlite"),
        )
        yield Stage(
            acumatica=acumatica,
            bigcommerce=bigcommerce,
            acumatica_url=urls[0],
            bigcommerce_url=urls[1],
            toml=toml,
            environ={PASSWORD: _PASSWORD, TOKEN: _TOKEN},
        )


def _served(handler: AcumaticaSimulator | BigCommerceSimulator, port: int, closing: ExitStack) -> Server:
    try:
        return closing.enter_context(Server(handler, port=port))
    except OSError as error:
        raise ConfigurationError(f"port {port} can't be served: {error.strerror}; take another one") from None


@define
class Clerk:
    """A person at Acumatica's screens: signs in, makes edits over HTTP, signs out."""

    stage: Stage
    _http: httpx.Client = field(init=False)

    def __enter__(self) -> Self:
        self._http = httpx.Client(trust_env=False)
        settings = self.stage.acumatica.settings
        self._post("/entity/auth/login", {"name": settings.username, "password": settings.password})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._post("/entity/auth/logout", {})
        self._http.close()

    def do(self, edit: Edit) -> None:
        """Make one edit.

        Raises:
            httpx.HTTPStatusError: Acumatica refused it.

        """
        headers = {"Content-Type": "application/json"}
        url = self.stage.acumatica_url + edit.path
        self._http.request(edit.method, url, content=edit.body, headers=headers).raise_for_status()

    def _post(self, path: str, body: Mapping[str, str]) -> None:
        self._http.post(self.stage.acumatica_url + path, json=body).raise_for_status()
