"""POSTs to one endpoint, all at once, each within one deadline. Redirects are not followed, replies are not read."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from apps.common.outgoing import BROKEN, Target, open_client


@dataclass(frozen=True, slots=True)
class Message:
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """`fault`: one of models.FAULTS, "" for a 2xx. `retry_after`: that header, as it was sent."""

    fault: str
    status: int | None = None
    retry_after: str = ""


def send_messages(
    target: Target,
    messages: Sequence[Message],
    *,
    deadline_seconds: float,
    transport: httpx.AsyncBaseTransport | None = None,
) -> list[Answer]:
    """In the order of `messages`, at the latest when the deadline is over."""
    return asyncio.run(_send_all(target, messages, deadline_seconds, transport))


async def _send_all(
    target: Target, messages: Sequence[Message], deadline_seconds: float, transport: httpx.AsyncBaseTransport | None
) -> list[Answer]:
    headers = {"User-Agent": "credit_ML", "Content-Type": "application/json"}
    async with open_client(target, deadline_seconds=deadline_seconds, headers=headers, transport=transport) as client:
        return await asyncio.gather(*(_send(client, target.url, message, deadline_seconds) for message in messages))


async def _send(client: httpx.AsyncClient, url: httpx.URL, message: Message, deadline_seconds: float) -> Answer:
    try:
        async with (
            asyncio.timeout(deadline_seconds),
            client.stream("POST", url, content=message.body, headers=message.headers) as response,
        ):
            return _read(response)
    except (TimeoutError, httpx.TimeoutException):
        return Answer("timeout")
    except BROKEN:
        return Answer("unreachable")


def _read(response: httpx.Response) -> Answer:
    status = response.status_code
    return Answer(_fault(status), status, response.headers.get("Retry-After", ""))


def _fault(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if status == httpx.codes.GONE:
        return "gone"
    if status < 400:
        return "redirected"
    return "refused" if status < 500 else "failed"
