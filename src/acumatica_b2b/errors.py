"""Every error of this library, by what it means for the record and for the run.

    AcumaticaB2BError
    ├── ConfigurationError      the set-up is wrong: the run ends
    ├── DecodeError             an answer is not of the documented shape: that record fails
    ├── UnsafePlanError         the guard refuses: a person decides
    ├── StalePlanError          what the plan was made from has changed since
    ├── DecisionError           what a person decided does not fit what there is
    ├── WrongSecretError        a notification is not from the other system: answer 401
    ├── StoreError              the sync log can't be read or written: the run ends
    └── RemoteError             what another system, or the way to it, made of a request
        ├── NotSentError        nothing happened there
        │   └── LeaseEndedError     it was too late to send it: it is asked for anew
        ├── RateLimitedError    nothing happened there, ask again later
        ├── OutcomeUnknownError it may have happened: look before you send again
        ├── RejectedError       the system said no; `reason` says why
        └── AuthenticationError the credential is wrong: the run ends

No message holds a secret, and none an e-mail address. Every error pickles.
"""

import enum
import re
from typing import Final

_ADDRESS: Final = re.compile(
    r"""(?:"[^"]{0,99}"|[^\s'"<>()\[\],;=:&?/]{0,99})(?:@|%40|\\u0040|&#64;)[^\s'"<>()\[\],;&]*"""
)
_SECRETS: Final = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 <hidden>"),
    (
        re.compile(
            r"""(?i)(\w{0,40}(?:passw(?:or)?d|secret|token|assertion|aspxauth|sessionid)["']?\s*[:=]\s*)"""
            r"""(?:"[^"]*"?|'[^']*'?|[^\s"'&;,}]+)"""
        ),
        r"\1<hidden>",
    ),
)


def without_emails(text: str) -> str:
    """Return a text with its e-mail addresses taken out.

    >>> without_emails("GET /users?email=ann%40a.example failed for ann@a.example")
    'GET /users?email=<e-mail> failed for <e-mail>'
    """
    signs = ("@", "%40", "\\u0040", "&#64;")
    return _ADDRESS.sub("<e-mail>", text) if any(sign in text for sign in signs) else text


def discreet(text: str) -> str:
    """Return a text of another system without e-mail addresses, and without what looks like a secret.

    >>> discreet('{"password": "hush", "to": "ann@a.example"}')
    '{"password": <hidden>, "to": "<e-mail>"}'
    """
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return without_emails(text)


class Reason(enum.Enum):
    """Why a system said no, as far as the engine cares."""

    EMAIL_TAKEN = "email-taken"
    LAST_USER = "last-user"
    LAST_ADMIN = "last-admin"
    GONE = "gone"
    AMBIGUOUS = "ambiguous"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    OTHER = "other"


class AcumaticaB2BError(Exception):
    """Root of all errors raised on purpose."""


class ConfigurationError(AcumaticaB2BError):
    """The set-up names something that is not there, or a replacement breaks its protocol."""


class DecodeError(AcumaticaB2BError):
    """An answer is not of the documented shape; `path` leads to the field, from the outside in."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message, path)
        self.path = path

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{self.path}: {message}" if self.path else message


class UnsafePlanError(AcumaticaB2BError):
    """More would be removed or handed over than the limits allow without a person's approval."""


class StalePlanError(AcumaticaB2BError):
    """The customer or its company has changed since the plan was shown."""


class DecisionError(AcumaticaB2BError):
    """What a person decided does not fit what there is: nothing was recorded."""


class WrongSecretError(AcumaticaB2BError):
    """A notification does not bear the secret that was agreed on: it is not from the other system."""


class StoreError(AcumaticaB2BError):
    """The sync log, or a host's token store, can't be read or written."""


class RemoteError(AcumaticaB2BError):
    """What another system, or the way to it, made of a request."""


class NotSentError(RemoteError):
    """The request did not reach the other system: nothing happened there."""


class LeaseEndedError(NotSentError):
    """The lease of the recorded intent ran out before the request was sent."""


class RateLimitedError(RemoteError):
    """The other system asks for patience: nothing happened there. `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return str(self.args[0])


class OutcomeUnknownError(RemoteError):
    """The answer was lost: it may have happened or not."""


class RejectedError(RemoteError):
    """The other system understood the request and said no; addresses and secrets in its words are taken out."""

    def __init__(self, reason: Reason, message: str = "") -> None:
        super().__init__(reason, discreet(message))
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[1]) or self.reason.value


class AuthenticationError(RemoteError):
    """The credential is wrong or lacks a right. Never tried twice: that would lock the account."""
