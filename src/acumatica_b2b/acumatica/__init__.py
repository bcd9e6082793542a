"""The ERP's side: a client of Acumatica's contract-based REST API."""

from acumatica_b2b.acumatica.client import Acumatica, AsyncAcumatica
from acumatica_b2b.acumatica.config import (
    AcumaticaConfig,
    Everyone,
    OptIn,
    PlainField,
    Source,
    UserField,
    opt_in,
    source,
)
from acumatica_b2b.acumatica.credentials import Credentials, OAuthPassword, Password

__all__ = [
    "Acumatica",
    "AcumaticaConfig",
    "AsyncAcumatica",
    "Credentials",
    "Everyone",
    "OAuthPassword",
    "OptIn",
    "Password",
    "PlainField",
    "Source",
    "UserField",
    "opt_in",
    "source",
]
