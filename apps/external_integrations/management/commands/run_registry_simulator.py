"""Serve Soliq, Kadastr and a credit bureau on loopback, with invented records and faults on demand."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.external_integrations.simulator.faults import FAULTS
from apps.external_integrations.simulator.server import Simulator
from apps.external_integrations.sources import SOURCES


class Command(BaseCommand):
    help = "Serve the contracts of all sources on 127.0.0.1. Every record is invented."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=9100)
        parser.add_argument("--api-key", default="", help="Refuse (401) whoever does not send it as X-API-Key.")
        parser.add_argument("--seed", type=int, default=0, help="Which of the questions meet a fault of a share.")
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            metavar="SOURCE=NAME[:SHARE[:SECONDS]]",
            help=f"May be given several times. Names: {', '.join(FAULTS)}.",
        )

    def handle(self, *, port: int, api_key: str, seed: int, fault: list[str], **options: Any) -> None:
        try:
            server = Simulator(port, api_key=api_key, seed=seed)
        except (OSError, OverflowError) as error:
            raise CommandError(f"Port {port} cannot be served: {error}. Choose another one with --port.") from None
        for text in fault:
            self._choose(server, text)
        self._tell(server)
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
        finally:
            server.server_close()

    def _choose(self, server: Simulator, text: str) -> None:
        source, _, rest = text.partition("=")
        name, *numbers = rest.split(":")
        try:
            server.choose(source, name, *map(float, numbers))
        except (ValueError, TypeError) as error:
            server.server_close()
            raise CommandError(f"--fault {text}: write SOURCE=NAME[:SHARE[:SECONDS]]. {error}") from None

    def _tell(self, server: Simulator) -> None:
        self.stdout.write(f"EVERY RECORD IS INVENTED. Serving on {server.url}; Ctrl-C stops it. To ask it, start with")
        for source in SOURCES:
            name = source.upper()
            self.stdout.write(f"  {name}_CLIENT=http {name}_BASE_URL={server.url} {name}_ALLOWED_HOSTS=127.0.0.1")
        self.stdout.write(f'Faults: curl -X PUT {server.url}/_faults -d \'{{"source": "soliq", "fault": "late"}}\'')
        self.stdout.flush()
