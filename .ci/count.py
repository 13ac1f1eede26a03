"""Print how many tests of all runs passed and failed. Arguments: folder of JUnit reports, exit status of the runs."""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def main(folder: str, status: int) -> None:
    total = failed = skipped = 0
    for report in Path(folder).glob("*.xml"):
        for suite in ElementTree.parse(report).iter("testsuite"):
            total += int(suite.get("tests", 0))
            failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped += int(suite.get("skipped", 0))
    if status != 0 and failed == 0:
        failed = 1  # a check that is no test ended the run
    print(f"{max(total - failed - skipped, 0)} passed, {failed} failed, {skipped} skipped")


main(sys.argv[1], int(sys.argv[2]))
