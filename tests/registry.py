"""An installation with three processes that score, and the commands that change what they score with."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx

from apps.accounts.tests.factories import PASSWORD
from apps.scoring_engine.ml.risk_model import card_in_service, read_model_bytes
from apps.scoring_engine.tests.factories import PERSON, model_bytes
from apps.scoring_engine.tests.fixed_card import fixed_card
from tests.installation import BASE, Installation, free_port, wait_for

SHIPPED = card_in_service("individual").card.version
WHY = ("--reason", "a test")
SCORING_PROCESS = f"""
import sys
from django.utils import timezone
from apps.accounts.models import User
from apps.scoring_engine.services import score_caller_facts
actor = User.objects.get(username="core")
for line in sys.stdin:
    row = score_caller_facts(segment="individual", body_facts={PERSON!r}, actor=actor, now=timezone.now())
    print(row.model_version, flush=True)
"""


class RegisteredModels:
    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.ports = [installation.port, free_port()]
        self.token = ""

    def prepare(self) -> None:
        manage = self.installation.manage
        manage("migrate", "--verbosity=0")
        manage("register_shipped_models")
        manage("create_branch", "main", "Main")
        manage("create_user", "core", "--role=officer", "--branch=main", "--service")
        self.token = manage("issue_service_token", "core").strip().splitlines()[-1].split()[-1]
        for name in ("maker", "checker"):
            manage("create_user", name, "--role=analyst", typed=f"{PASSWORD}\n")

    @contextmanager
    def running(self) -> Iterator[list[subprocess.Popen[bytes]]]:
        with ExitStack() as stack:
            web = [stack.enter_context(self._web(port)) for port in self.ports]
            self.scoring = stack.enter_context(self._scoring())
            for port in self.ports:
                wait_for(lambda port=port: self._is_ready(port), seconds=60)
            yield [*web, self.scoring]

    def answers(self) -> list[str]:
        """The version of the model that scores, of each process in turn."""
        return [*map(self.answer_over_http, self.ports), self.answer_of_the_process()]

    def answer_over_http(self, port: int) -> str:
        headers = {"Authorization": f"Token {self.token}"}
        reply = httpx.post(f"http://127.0.0.1:{port}/api/score/individual/", json=PERSON, headers=headers, timeout=30)
        assert reply.status_code == 200, reply.text
        return reply.json()["model_version"]

    def answer_of_the_process(self) -> str:
        self.scoring.stdin.write(b"score\n")
        self.scoring.stdin.flush()
        return self.scoring.stdout.readline().decode().strip()

    def register(self, version: str) -> None:
        """Registered by one analyst, approved by another."""
        content = model_bytes(fixed_card(version=version))
        sha256 = hashlib.sha256(content).hexdigest()
        model, figures = self.installation.data / "mine.joblib", self.installation.data / "validation.json"
        model.write_bytes(content)
        model.with_suffix(".manifest.json").write_text(json.dumps({"model": version, "sha256": sha256}))
        about = {"sha256": sha256, "card_digest": read_model_bytes(content).digest}
        gates = [{"gate": "auc", "required": "at least 0.6", "found": 0.7, "passed": True}]
        figures.write_text(json.dumps({"model": about, "data": {"kind": "holdout"}, "gates": gates}))
        self.installation.manage("register_model", str(model), "--as", "maker")
        self.installation.manage("approve_model", version, "--figures", str(figures), "--as", "checker", *WHY)

    def change(self, command: str, of: str) -> None:
        self.installation.manage(command, of, "--as", "checker", *WHY)

    def roll_back_over_http(self) -> None:
        signed_in = httpx.post(
            f"{self.installation.address}/api/auth/login/",
            json={"username": "checker", "password": PASSWORD},
            timeout=30,
        )
        headers = {"Authorization": f"Token {signed_in.json()['token']}"}
        body = {"segment": "individual", "reason": "a test"}
        address = f"{self.installation.address}/api/models/rollback/"
        reply = httpx.post(address, json=body, headers=headers, timeout=30)
        assert reply.status_code == 200, reply.text

    def _web(self, port: int) -> ExitStack:
        serve = ("manage.py", "runserver", "--noreload", f"127.0.0.1:{port}")
        return self.installation.process(f"web-{port}.log", *serve)

    @contextmanager
    def _scoring(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", SCORING_PROCESS]
        log = (self.installation.data / "scoring.log").open("wb")
        pipe = subprocess.PIPE
        with log, subprocess.Popen(
            command, cwd=BASE, env=self.installation.environment, stdin=pipe, stdout=pipe, stderr=log
        ) as child:  # fmt: skip
            yield child
            child.stdin.close()

    def _is_ready(self, port: int) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False
