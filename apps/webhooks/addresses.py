"""Where webhooks may go: to the hosts that the settings name.

WEBHOOK_HOSTS are reached over https at public addresses. WEBHOOK_PRIVATE_HOSTS are the lender's own: these may do
without TLS and stand at private addresses. Both are empty unless set.
"""

from typing import Any

import httpx
from django.conf import settings

from apps.common import outgoing
from apps.common.outgoing import LOOK_UP_SECONDS, Resolve, Target, TargetRefused, look_up

SENTENCES = {
    "userinfo": "Leave out user, password and fragment; the signature says who sends.",
    "host_not_allowed": "This host is not allowed. Whoever runs the installation names it in WEBHOOK_HOSTS.",
    "not_tls": "Give an https address; only WEBHOOK_PRIVATE_HOSTS may do without.",
    "address_not_allowed": "The name leads to an address that webhooks are not sent to.",
}


def check_url(text: str) -> httpx.URL:
    """Raises TargetRefused unless the settings allow to send there."""
    try:
        url = outgoing.check_url(text, **_hosts())
    except TargetRefused as refusal:
        raise _in_our_words(refusal) from None
    if url.fragment:
        raise TargetRefused("host_not_allowed", SENTENCES["userinfo"])
    return url


def find_target(text: str, *, resolve: Resolve = look_up) -> Target:
    """Raises TargetRefused if this is none to send to, TimeoutError, and OSError when there is no such name."""
    check_url(text)
    seconds = min(settings.WEBHOOK_DEADLINE_SECONDS, LOOK_UP_SECONDS)  # the lease leaves room for this
    try:
        return outgoing.find_target(text, **_hosts(), resolve=resolve, seconds=seconds)
    except TargetRefused as refusal:
        raise _in_our_words(refusal) from None


def _hosts() -> dict[str, Any]:
    private = settings.WEBHOOK_PRIVATE_HOSTS
    return {"public_hosts": settings.WEBHOOK_HOSTS, "private_hosts": private, "plain_hosts": private}


def _in_our_words(refusal: TargetRefused) -> TargetRefused:
    """`fault`: host_not_allowed or address_not_allowed, as deliveries record it."""
    fault = refusal.fault if refusal.fault == "address_not_allowed" else "host_not_allowed"
    return TargetRefused(fault, SENTENCES.get(refusal.fault, str(refusal)))
