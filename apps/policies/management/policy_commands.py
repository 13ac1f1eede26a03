"""What the commands on policies share."""

from apps.common.errors import NotFound
from apps.policies.models import DISCARDED, PolicyVersion

POLICY = "code and version, such as uz_individual/2026-12"


def find_policy(name: str) -> PolicyVersion:
    code, _, version = name.partition("/")
    found = PolicyVersion.objects.filter(code=code, version=version).exclude(state=DISCARDED).first()
    if found is None:
        raise NotFound(f"There is no policy {name[:90]!r}; a policy is named by {POLICY}. list_policies names them.")
    return found
