from acumatica_b2b.acumatica.changes import since
from acumatica_b2b.acumatica.client import Acumatica, AsyncAcumatica
from acumatica_b2b.acumatica.config import (
    AcumaticaConfig,
    AttributeRow,
    Everyone,
    OptIn,
    PlainField,
    SiteRows,
    Source,
    UserField,
    opt_in,
    source,
)
from acumatica_b2b.acumatica.credentials import Credentials, HostToken, OAuthPassword, OAuthRefresh, Password
from acumatica_b2b.acumatica.tokens import AsyncTokenSource, AsyncTokenStore, TokenSource, TokenStore

__all__ = [
    "Acumatica",
    "AcumaticaConfig",
    "AsyncAcumatica",
    "AsyncTokenSource",
    "AsyncTokenStore",
    "AttributeRow",
    "Credentials",
    "Everyone",
    "HostToken",
    "OAuthPassword",
    "OAuthRefresh",
    "OptIn",
    "Password",
    "PlainField",
    "SiteRows",
    "Source",
    "TokenSource",
    "TokenStore",
    "UserField",
    "opt_in",
    "since",
    "source",
]
