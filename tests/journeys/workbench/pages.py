"""Every page of the workbench, from its addresses: a screen that is added is looked at without a word here."""

from collections.abc import Iterator
from dataclasses import dataclass

from apps.accounts.models import User
from apps.workbench.tests.rows import World, parameters, routes

LOOKERS = ("officer", "analyst", "auditor", "approver", "administrator")


@dataclass(frozen=True)
class Look:
    """A page, and one of those who may look at it. `who` None: nobody has signed in."""

    name: str
    address: str
    who: User | None


def all_pages(world: World) -> Iterator[Look]:
    given = parameters(world)
    for route in routes():
        if route.method == "GET":
            address = route.address(given.get(route.name, ({}, None))[0])
            roles = getattr(route.view, "roles", ())
            people = [world.users[role] for role in LOOKERS if role in roles]
            for who in people or [None]:
                yield Look(route.name, address, who)
