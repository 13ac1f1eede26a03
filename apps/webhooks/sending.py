"""POSTs to one endpoint, all at once, each within one deadline. Redirects are not followed, replies are not read."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from apps.common.outgoing import open_client
from apps.webhooks.addresses import Target


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
    headers = {"Host": target.url.netloc.decode(), "User-Agent": "credit_ML", "Content-Type": "application/json"}
    async with open_client(deadline_seconds=deadline_seconds, headers=headers, transport=transport) as client:
        return await asyncio.gather(*(_send(client, target, message, deadline_seconds) for message in messages))


async def _send(client: httpx.AsyncClient, target: Target, message: Message, deadline_seconds: float) -> Answer:
    # To the address that was looked at, as the host that was named: TLS checks the name.
    url = target.url.copy_with(host=target.address)
    name = {"sni_hostname": target.url.raw_host.decode("ascii")}
    try:
        async with (
            asyncio.timeout(deadline_seconds),
            client.stream("POST", url, content=message.body, headers=message.headers, extensions=name) as response,
        ):
            return _read(response)
    except (TimeoutError, httpx.TimeoutException):
        return Answer("timeout")
    except httpx.TransportError:
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
