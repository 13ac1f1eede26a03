"""Simulations asked for over the API: a row each, worked off in the background, with progress."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common import background
from apps.common.errors import DomainError, InvalidInput, NotFound
from apps.common.sentences import Sentence
from apps.credit_requests.models import Simulation
from apps.credit_requests.models.simulations import ALL_DONE, DONE, FAILED, QUEUED, RUNNING
from apps.credit_requests.simulation_filters import RequestFilter, chosen_requests
from apps.credit_requests.simulation_policies import Named, check_comparable, in_force, of_text, of_version
from apps.policies.models import DISCARDED, PolicyVersion

log = structlog.get_logger("simulation")
MOST_REQUESTS = 20_000  # the newest; older ones are told as cut
MOST_ATTEMPTS = 3
GIVEN_UP = "The worker stopped each time; ask for fewer requests, or see the log of the worker."


@transaction.atomic
def request_simulation(
    *,
    policy: str,
    against: UUID | None,
    chosen: RequestFilter,
    on_date: date,
    cost_of_funds: float,
    before_bars: bool,
    actor: User,
    now: datetime,
) -> Simulation:
    """Queued. `policy`: the id of one handed in, or a text. Raises InvalidInput, NotFound, Conflict."""
    candidate = _candidate(policy)
    current = _found("against", against) if against else in_force(candidate.policy.segment, on_date, now)
    check_comparable(candidate.policy, current.policy)
    if not chosen_requests(candidate.policy.segment, chosen).exists():
        raise InvalidInput.of(filter=Sentence("No request is as asked for: {chosen}.", chosen=str(chosen)))
    simulation = Simulation.objects.create(
        policy=candidate.version,
        text="" if candidate.version else candidate.policy.text,
        against=current.version,
        filter=chosen.as_dict(),
        on_date=on_date,
        cost_of_funds=cost_of_funds,
        before_bars=before_bars,
        requested_by=actor,
        created_at=now,
    )
    details = {"policy": candidate.policy.digest, "against": current.policy.digest, "requests": simulation.filter}
    record_event(actor=actor, action="simulation.request", subject=simulation, details=details)
    background.enqueue("simulate_policy", simulation_id=str(simulation.id))
    return simulation


def _candidate(policy: str) -> Named:
    try:
        return _found("policy", UUID(policy.strip()))
    except ValueError:
        return of_text(policy)


def _found(field: str, policy_id: UUID) -> Named:
    version = PolicyVersion.objects.filter(id=policy_id).exclude(state=DISCARDED).first()
    if version is None:
        raise InvalidInput.of(**{field: Sentence("There is no policy with this id; /api/policies/ lists them.")})
    return of_version(version)


def work_simulation(*, simulation_id: str, clock: Callable[[], datetime]) -> dict[str, str]:
    """Run what is queued, or what a worker that stopped left running. Read again, it finds the same requests."""
    simulation = _start(simulation_id, clock)
    if simulation.state != RUNNING:
        return {"state": simulation.state}
    try:
        result = _simulated(simulation)
    except DomainError as refusal:
        return _finish(simulation, FAILED, clock, error=refusal.detail[:1000])
    return _finish(simulation, DONE, clock, result=result, progress=ALL_DONE)


@transaction.atomic
def _start(simulation_id: str, clock: Callable[[], datetime]) -> Simulation:
    simulation = Simulation.objects.select_for_update().filter(id=simulation_id).first()
    if simulation is None:
        raise NotFound(Sentence("There is no simulation {id}.", id=simulation_id))
    if simulation.state in (QUEUED, RUNNING):
        simulation.attempts += 1
        simulation.state, simulation.progress = RUNNING, 0
        if simulation.attempts > MOST_ATTEMPTS:
            simulation.state, simulation.error, simulation.finished_at = FAILED, GIVEN_UP, clock()
        simulation.save(update_fields=["state", "progress", "attempts", "error", "finished_at"])
    return simulation


def _simulated(simulation: Simulation) -> dict[str, Any]:
    # Not at the top: only this job needs numpy and Arrow, and not every web process.
    from apps.credit_requests.simulation import Terms, simulate_requests

    def progress(share: float, done: int) -> None:
        Simulation.objects.filter(id=simulation.id).update(progress=int(share * ALL_DONE))
        background.heartbeat()

    return simulate_requests(
        candidate=of_version(simulation.policy) if simulation.policy else of_text(simulation.text),
        current=of_version(simulation.against),
        terms=Terms(simulation.on_date, simulation.cost_of_funds, simulation.before_bars),
        chosen=RequestFilter.of_texts(simulation.filter),
        actor=simulation.requested_by,
        subject=simulation,
        most=MOST_REQUESTS,
        progress=progress,
    )


@transaction.atomic
def _finish(simulation: Simulation, state: str, clock: Callable[[], datetime], **columns: Any) -> dict[str, str]:
    for name, value in ({"state": state, "finished_at": clock()} | columns).items():
        setattr(simulation, name, value)
    simulation.save(update_fields=["state", "finished_at", *columns])
    details = {"state": state, "attempts": simulation.attempts}
    record_event(actor=simulation.requested_by, action="simulation.finish", subject=simulation, details=details)
    log.info("simulation_finished", simulation_id=str(simulation.id), state=state)
    return {"state": state}
