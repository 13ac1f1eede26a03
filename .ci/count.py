"""Print how many tests of all runs passed and failed. Arguments: folder of JUnit reports, exit status of the runs.

A test with subtests stands several times in a report; it is counted once, and as failed when any of them failed.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

RANK = {"passed": 0, "skipped": 1, "failed": 2}


def outcomes(report: Path) -> list[str]:
    worst: dict[tuple[str | None, str | None], str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        tags = {child.tag for child in case}
        outcome = "failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"
        name = (case.get("classname"), case.get("name"))
        worst[name] = max(outcome, worst.get(name, outcome), key=RANK.__getitem__)
    return list(worst.values())


def main(folder: str, status: int) -> None:
    found = [outcome for report in Path(folder).glob("*.xml") for outcome in outcomes(report)]
    failed = found.count("failed")
    if status != 0 and failed == 0:
        failed = 1  # a check that is no test ended the run
    print(f"{found.count('passed')} passed, {failed} failed, {found.count('skipped')} skipped")


main(sys.argv[1], int(sys.argv[2]))
