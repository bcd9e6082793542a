"""The ERP's side: a client of Acumatica's contract-based REST API."""

from acumatica_b2b.lazily import lazily

__all__, __getattr__, __dir__ = lazily(  # pyright: ignore[reportUnsupportedDunderAll]  # it reads the stub
    __name__,
    {
        "changes": "since",
        "client": "Acumatica AsyncAcumatica",
        "config": ("AcumaticaConfig AttributeRow Everyone OptIn PlainField SiteRows Source UserField opt_in source"),
        "credentials": "Credentials HostToken OAuthPassword OAuthRefresh Password",
        "tokens": "AsyncTokenSource AsyncTokenStore TokenSource TokenStore",
    },
)
