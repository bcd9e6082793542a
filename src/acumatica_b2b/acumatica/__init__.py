"""The ERP's side: a client of Acumatica's contract-based REST API."""

from acumatica_b2b.acumatica.client import Acumatica, AsyncAcumatica
from acumatica_b2b.acumatica.config import (
    AcumaticaConfig,
    Credentials,
    Everyone,
    OAuthPassword,
    OptIn,
    Password,
    PlainField,
    Source,
    UserField,
    opt_in,
    source,
)

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
