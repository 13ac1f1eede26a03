"""The sources that there are, one file each."""

from typing import Any

from apps.external_integrations.sources.bureau import BUREAU
from apps.external_integrations.sources.contract import Contract
from apps.external_integrations.sources.kadastr import KADASTR
from apps.external_integrations.sources.soliq import SOLIQ

SOURCES: dict[str, Contract[Any]] = {contract.code: contract for contract in (SOLIQ, KADASTR, BUREAU)}

__all__ = ["BUREAU", "KADASTR", "SOLIQ", "SOURCES"]
