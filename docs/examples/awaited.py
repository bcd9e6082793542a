"""A store and a transport that block, for async programs: each call runs in a thread."""

from asyncio import to_thread
from collections.abc import Sequence

from attrs import frozen

from acumatica_b2b import Commit, LogKey, Request, Response, SyncLogStore, Transport


@frozen
class AwaitedStore:
    """A blocking store as `AsyncSyncLogStore`."""

    store: SyncLogStore

    async def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        return await to_thread(self.store.load, keys)

    async def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        return await to_thread(self.store.append, commits)

    async def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        return await to_thread(self.store.keys, prefix, after, limit)

    async def drop(self, key: LogKey, before: int, /) -> None:
        await to_thread(self.store.drop, key, before)


@frozen
class AwaitedTransport:
    """A blocking transport as `AsyncTransport`."""

    transport: Transport

    async def send(self, request: Request, /) -> Response:
        return await to_thread(self.transport.send, request)
