"""The charts of the monitoring screen, each of them a table that people can read and a picture is drawn from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from babel import Locale, dates
from django.utils.translation import gettext as _

from apps.common.days import lender_today
from apps.portfolio.figures import FLOOR, TOO_FEW
from apps.portfolio.reports import FIRST_WEEKS, IN_REFERENCE, TRAINING
from apps.scoring_engine.ml.drift import AMBER, RED
from apps.workbench import formats

Document = Mapping[str, Any]
Read = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Column:
    """`series`: what is drawn of it; empty: it is only read."""

    label: str
    series: str = ""
    colour: str = ""
    dash: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """`value`: a plain number, empty where there is none."""

    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """`running`: of a week that is not over, how far it is counted, in words."""

    name: str
    cells: list[Cell]
    running: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """`format` of its axis: integer, number or percent. Without any value, `nothing` says why."""

    name: str
    kind: str
    title: str
    label: str
    format: str
    first: str
    columns: list[Column]
    rows: list[Row]
    note: str = ""
    nothing: str = ""
    is_wide: bool = False

    @property
    def has_values(self) -> bool:
        drawn = [place for place, column in enumerate(self.columns) if column.series and not column.dash]
        return any(row.cells[place].value for row in self.rows for place in drawn)


def charts_of(told: Document) -> list[Chart]:
    weeks = [week for week in told["weeks"] if week["is_counted"]]
    return [
        _counts(weeks),
        _rates(weeks),
        _distribution(told["score"]),
        _stability(weeks),
        _marks(weeks),
        _overrides(weeks),
        _hours(weeks),
    ]


def reference_text(reference: Document) -> str:
    """What the figures are compared with."""
    if reference["kind"] == TRAINING:
        return _("Compared with the applications that the model learnt from.")
    if reference["kind"] == FIRST_WEEKS:
        span = {"since": formats.day(reference["since"]), "until": formats.day(reference["until"])}
        return (
            _(
                "No training distribution is known of this model. Compared with its first complete weeks, from "
                "%(since)s to before %(until)s."
            )
            % span
        )
    return _("No training distribution is known of this model, and no week is complete yet to compare with.")


def why_no_index(why: str) -> str:
    if why == TOO_FEW:
        return _("Too few applications: an index of stability needs %(floor)s on each side.") % {"floor": FLOOR}
    if why == IN_REFERENCE:
        return _("These weeks are what the others are compared with.")
    return _("There is nothing to compare with.")


def week_name(week: date) -> str:
    """ "7 Sep": years say nothing on an axis."""
    language = formats.language_now()
    if language == "uz":
        return f"{week.day}-{dates.format_date(week, 'MMM', locale='uz')}"
    return dates.format_date(week, "d MMM", locale=Locale(language))


def _counts(weeks: Sequence[Document]) -> Chart:
    return _by_week(
        weeks,
        name="applications",
        title=_("Applications and decisions"),
        label=_("Applications that came and final decisions that were made, by week"),
        format_="integer",
        columns={"applications": _("Applications"), "decisions": _("Final decisions")},
        read=formats.number,
        nothing=_("Nobody applied in these weeks."),
        is_wide=True,
    )


def _rates(weeks: Sequence[Document]) -> Chart:
    return _by_week(
        weeks,
        name="approvals",
        title=_("Approval rate"),
        label=_("Share of approvals, and of decisions by the policy alone, among final decisions, by week"),
        format_="percent",
        columns={"approval_rate": _("Approved"), "automatic_share": _("Decided by the policy alone")},
        read=formats.percent,
        note=_("Of the final decisions made in the week, whenever the application came."),
        nothing=_("No final decision was made in these weeks."),
    )


def _distribution(score: Document) -> Chart:
    columns = [Column(_("These weeks"), "now"), Column(_("Before"), "before")]
    rows = [
        Row(_band(band), [_cell(band["share"], formats.percent), _cell(band["reference_share"], formats.percent)])
        for band in score["bands"]
    ]
    return Chart(
        name="scores",
        kind="histogram",
        title=_("Distribution of the score"),
        label=_("Share of applications by band of the score, now and in what is compared with"),
        format="percent",
        first=_("Score"),
        columns=columns,
        rows=rows,
        note=reference_text(score["reference"]),
        nothing=_("Nothing was scored in these weeks."),
    )


def _stability(weeks: Sequence[Document]) -> Chart:
    limits = [
        Column(_("Worth a look from"), "amber", "neutral", "dotted"),
        Column(_("Moved from"), "red", "bad", "dotted"),
    ]
    columns = [Column(_("Stability index (PSI)"), "psi"), *limits, Column(_("By chance alone"))]
    rows = [
        _week(
            week,
            [
                _cell(week["psi"], _index),
                _cell(AMBER, _index),
                _cell(RED, _index),
                _cell(week["psi_by_chance"], _index),
            ],
        )
        for week in weeks
    ]
    return Chart(
        name="stability",
        kind="lines",
        title=_("Stability of the score"),
        label=_("Population stability index of the score, by week"),
        format="number",
        first=_("Four weeks to the end of that of"),
        columns=columns,
        rows=rows,
        note=_(
            "Population stability index of four weeks of applications. The usual reading: below 0.10 stable, below "
            "0.25 worth a look, above that moved."
        ),
        nothing=why_no_index(weeks[-1]["why"] if weeks else ""),
    )


def _marks(weeks: Sequence[Document]) -> Chart:
    return _by_week(
        weeks,
        name="marks",
        title=_("What the scores rest on"),
        label=_("Shares of applications scored by the fallback card, on stale records, or with a source down, by week"),
        format_="percent",
        columns={
            "fallback_share": _("Fallback card"),
            "stale_share": _("Stale record"),
            "source_down_share": _("Source was down"),
            "thin_file_share": _("Thin file"),
        },
        more={"demonstration_share": _("Demonstration card"), "mock_share": _("Invented record")},
        read=formats.percent,
        nothing=_("Nobody applied in these weeks."),
    )


def _overrides(weeks: Sequence[Document]) -> Chart:
    return _by_week(
        weeks,
        name="overrides",
        title=_("Against the policy"),
        label=_("Share of the decisions by people that go against the policy, by direction and week"),
        format_="percent",
        columns={
            "low_side_share": _("Approved what the policy declines"),
            "high_side_share": _("Declined what the policy approves"),
        },
        read=formats.percent,
        note=_("Of the decisions by people."),
        nothing=_("People decided nothing in these weeks."),
    )


def _hours(weeks: Sequence[Document]) -> Chart:
    return _by_week(
        weeks,
        name="hours",
        title=_("Time to decision"),
        label=_("Hours from the application to the first final decision, by week"),
        format_="integer",
        columns={"median_hours": _("Half are decided within, hours"), "p90_hours": _("Nine in ten within, hours")},
        read=formats.number,
        nothing=_("No final decision was made in these weeks."),
    )


def _by_week(
    weeks: Sequence[Document],
    *,
    name: str,
    title: str,
    label: str,
    format_: str,
    columns: Mapping[str, str],
    read: Read,
    more: Mapping[str, str] | None = None,
    note: str = "",
    nothing: str = "",
    is_wide: bool = False,
) -> Chart:
    """`columns`: heading by figure; those of `more` are in the table only."""
    drawn, told = [Column(text, figure) for figure, text in columns.items()], dict(columns) | dict(more or {})
    return Chart(
        name=name,
        kind="lines",
        title=title,
        label=label,
        format=format_,
        first=_("Week from"),
        columns=drawn + [Column(text) for text in (more or {}).values()],
        rows=[_week(week, [_cell(week[figure], read) for figure in told]) for week in weeks],
        note=note,
        nothing=nothing,
        is_wide=is_wide,
    )


def _week(week: Document, cells: list[Cell]) -> Row:
    """A week that was counted before it had ended is told as such: else its figures look like a fall."""
    return Row(week_name(week["week"]), cells, "" if week["is_complete"] else _counted_until(week["counted_at"]))


def _counted_until(moment: datetime) -> str:
    day = lender_today(moment)
    return _("until today") if day == lender_today() else _("until %(day)s") % {"day": week_name(day)}


def _cell(value: float | None, read: Read) -> Cell:
    return Cell("" if value is None else repr(value), read(value))


def _index(value: float | None) -> str:
    return formats.number(value, 2)


def _band(band: Document) -> str:
    if band["from"] is None:
        return _("below %(score)s") % {"score": band["below"]}
    if band["below"] is None:
        return _("from %(score)s") % {"score": band["from"]}
    return f"{band['from']}\u2013{band['below'] - 1}"
