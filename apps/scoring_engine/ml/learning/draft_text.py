"""The text of a drafted recipe: TOML with a comment beside everything that was guessed."""

from .draft import Draft, toml
from .guessing import Guess
from .naming import name_of

HEAD = """\
# A first draft, made from {file}.
# Everything here was guessed from the values: read it line by line, correct it, and take out what should not decide
# on credit. docs/how-to/train-on-your-own-data.md explains every setting.

format = 1
segment = {segment}        # individual or company
version = {version}
title = {title}
purpose = "own"
definition_of_bad = {bad}    # say it so that anybody could tell a bad loan from a good one
origin = {origin}
population = "not described yet"    # who is in the table, and who is not (the refused?)
owner = ""
use = ""
materiality = ""    # low, medium or high, and why:
materiality_why = ""
seed = 1
most_bins = 20
smallest_bin_share = 0.005
pairs = 12    # at most so many; 0 for a card of single characteristics only
"""


def text_of_draft(draft: Draft, segment: str) -> str:
    """The recipe as TOML."""
    outcome = draft.outcome
    stem = name_of(draft.file.partition(".")[0]) or "card"
    head = HEAD.format(
        file=draft.file, segment=toml(segment), version=toml(f"{stem.replace('_', '-')[:60]}-0.1.0"),
        title=toml(f"A card learnt from {draft.file}"), bad=toml(f"{draft.target} is {' or '.join(outcome.bad)}"),
        origin=toml(f"the table {draft.file}, {len(outcome.known):,} rows"),
    )  # fmt: skip
    parts = [head + _options(draft), _split(draft), _target(draft)]
    parts += [_input(draft, found) for found in draft.inputs]
    parts += [_years(draft, found) for found in draft.inputs if found.kind == "date"]
    parts += [f"[[not_used]]\ncolumns = {toml([column])}\nreason = {toml(why)}\n" for column, why in draft.not_used]
    return "\n".join(parts)


def _options(draft: Draft) -> str:
    lines = []
    if draft.encoding:
        lines.append(f"encoding = {toml(draft.encoding)}    # the table is not UTF-8; check that names read well")
    if draft.columns.decimal != ".":
        lines.append(f"decimal = {toml(draft.columns.decimal)}")
    if draft.columns.date_format:
        lines.append(f"date_format = {toml(draft.columns.date_format)}    # check: day or month first?")
    if draft.duplicates:
        lines.append('duplicates = "allow"    # more than 1 % of the rows are equal in every column: check why')
    if draft.fairness:
        lines.append(f"fairness = {toml(draft.fairness)}    # for fairness tests only, never inputs")
    return "".join(f"{line}\n" for line in lines)


def _split(draft: Draft) -> str:
    horizon = '[horizon]\nkind = "fixed"\nmonths = 12    # within how many months a loan counts as bad: check\n'
    if draft.cut:
        cut = f"cut = {draft.cut}    # the rows from this day on are the test"
        return f"{horizon}\n[time]\ncolumn = {toml(draft.date)}\n{cut}\n"
    why = f"; with --date the newest rows would be the test (days: {', '.join(draft.dates)})" if draft.dates else ""
    if draft.date:
        why = f"; no day of {draft.date} leaves enough bad and good rows on both sides"
    return f"holdout = 0.3    # a random 30 % of the rows test{why}\n\n{horizon}"


def _target(draft: Draft) -> str:
    outcome = draft.outcome
    rate = outcome.is_bad[outcome.known].mean()
    lines = ["[target]", f"column = {toml(draft.target)}",
             f"equals = {toml(outcome.bad)}    # taken as bad: {rate:.1%} of the rows; check"]  # fmt: skip
    if len(outcome.good) > 1 or outcome.indeterminate:
        lines.append(f"good = {toml(outcome.good)}")
    if outcome.indeterminate:
        lines.append(f"indeterminate = {toml(outcome.indeterminate)}    # left out: neither good nor bad")
    return "\n".join(lines) + "\n"


def _input(draft: Draft, found: Guess) -> str:
    name = draft.names[found.column]
    lines = [f"# {note}" for note in found.notes]
    lines += ["[[inputs]]", f"column = {toml(found.column)}"]
    if name != name_of(found.column):
        lines.append(f"name = {toml(name)}")
    lines.append(f"kind = {toml(found.kind)}")
    lines += [f"{key} = {toml(value)}" for key, value in found.settings.items()]
    if found.kind != "date":
        lines.append('direction = "free"')
    return "\n".join(lines) + "\n"


def _years(draft: Draft, found: Guess) -> str:
    name = draft.names[found.column]
    return (
        f'[[features]]\nname = "years_since_{name[:48]}"\nkind = "years_between"\nof = ["{name}", "as_of"]\n'
        'direction = "free"\n'
    )
