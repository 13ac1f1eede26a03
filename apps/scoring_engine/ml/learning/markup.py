"""Small pieces of HTML; every text that goes in is escaped here."""

from collections.abc import Sequence
from html import escape

from .findings import BAD, GOOD, NOTE, Finding

STYLE = """
:root { --ink: #20262c; --soft: #5b646d; --line: #d5d9dd; --wash: #f4f6f8; --blue: #1d5b95; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 62rem; color: var(--ink); background: #fff;
  font: 15px/1.5 "Segoe UI", "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; padding-top: .6rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1.02rem; margin: 1.6rem 0 .4rem; }
p { margin: .5rem 0; max-width: 46rem; }
.soft, figcaption { color: var(--soft); font-size: .88rem; }
.verdict { background: var(--wash); border-left: 4px solid var(--blue); padding: .8rem 1.1rem; margin: 1.2rem 0; }
.verdict p { max-width: none; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; margin: .5rem 0 1rem; }
th, td { padding: .18rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { border-bottom: 1.5px solid var(--ink); font-weight: 600; }
th[scope=row] { border-bottom: 1px solid var(--line); font-weight: 400; }
td.n, th.n { text-align: right; }
td.n { white-space: nowrap; }
caption { text-align: left; font-weight: 600; padding: .2rem 0; }
.beside { display: grid; grid-template-columns: minmax(0, 11fr) minmax(0, 9fr); gap: 1.2rem; align-items: start; }
.beside th, .beside td { padding: .15rem .4rem; }
.wide { overflow-x: auto; }
figure { margin: .4rem 0; }
svg { width: 100%; height: auto; display: block; font-family: inherit; }
.mark { display: inline-block; min-width: 3.6rem; text-align: center; border-radius: 3px; padding: 0 .4rem;
  font-size: .78rem; border: 1px solid; }
.good, .green { color: #14603a; border-color: #14603a; background: #e7f4ec; }
.note, .amber { color: #7a4f00; border-color: #7a4f00; background: #fdf3dc; }
.bad, .red { color: #9b1c1c; border-color: #9b1c1c; background: #fbe9e7; font-weight: 600; }
.person { border: 1.5px dashed #7a4f00; padding: .7rem 1rem; margin: 1rem 0; min-height: 6.5rem; }
.person b { display: block; }
.lines { display: grid; grid-template-columns: 1fr 1fr; gap: 2.2rem 2rem; margin-top: 2.4rem; }
.lines span { border-top: 1px solid var(--ink); font-size: .85rem; }
nav ol { columns: 2; font-size: .9rem; padding-left: 1.3rem; }
a { color: var(--blue); }
@media (max-width: 44rem) { .beside, .lines { grid-template-columns: 1fr; } nav ol { columns: 1; } }
@page { size: A4; margin: 16mm 14mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  h2, h3, caption { break-after: avoid; }
  figure, tr, .person, .verdict, .beside, .keep { break-inside: avoid; }
  thead { display: table-header-group; }
  .wide { overflow: visible; }
  .beside { grid-template-columns: 1fr 1fr; gap: 4mm; }
  .beside table { font-size: 7.5pt; }
  .beside th, .beside td { padding: 1px 4px; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
WORDS = {GOOD: "in order", NOTE: "note", BAD: "attention", "green": "green", "amber": "amber", "red": "red"}


class Html(str):
    """Text that is already HTML: it is put in as it stands."""

    __slots__ = ()


def html(text: object) -> Html:
    return text if isinstance(text, Html) else Html(escape(str(text)))


def joined(parts: Sequence[object]) -> Html:
    return Html("".join(html(part) for part in parts))


def paragraph(text: object, css: str = "") -> Html:
    return Html(f"<p{_class(css)}>{html(text)}</p>")


def heading(text: str) -> Html:
    return Html(f"<h3>{html(text)}</h3>")


def section(key: str, title: str, *parts: object) -> Html:
    return Html(f'<section id="{html(key)}"><h2>{html(title)}</h2>{joined(parts)}</section>\n')


def mark(level: str | None, word: str = "") -> Html:
    """A word in a coloured frame: the word says it too."""
    return Html("") if level is None else Html(f'<span class="mark {html(level)}">{html(word or WORDS[level])}</span>')


def table(head: Sequence[object], rows: Sequence[Sequence[object]], *, numbers: Sequence[int] = (),
          caption: str = "", row_heads: bool = True) -> Html:  # fmt: skip
    """numbers: columns set to the right. The first cell of a row heads it unless row_heads is off."""
    tops = "".join(f'<th scope="col"{_class("n" if k in numbers else "")}>{html(cell)}</th>'
                   for k, cell in enumerate(head))  # fmt: skip
    lines = "".join(f"<tr>{''.join(_cell(k, cell, numbers, row_heads) for k, cell in enumerate(row))}</tr>\n"
                    for row in rows)  # fmt: skip
    title = f"<caption>{html(caption)}</caption>" if caption else ""
    return Html(f'<div class="wide"><table>{title}<thead><tr>{tops}</tr></thead><tbody>{lines}</tbody></table></div>')


def beside(plot: str, words: Html, caption: str = "") -> Html:
    """A plot (SVG) with its table at its side."""
    under = f"<figcaption>{html(caption)}</figcaption>" if caption else ""
    return Html(f'<div class="beside"><figure>{plot}{under}</figure><div>{words}</div></div>')


def person_box(title: str, ask: str) -> Html:
    """An empty, marked section that only a person can fill in."""
    return Html(f'<div class="person"><b>To be written by a person: {html(title)}</b>'
                f'<span class="soft">{html(ask)}</span></div>')  # fmt: skip


def finding_list(found: Sequence[Finding]) -> Html:
    return table(("", "topic", "what the figures say"), [(mark(one.level), one.topic, one.text) for one in found],
                 row_heads=False)  # fmt: skip


def page(title: str, body: Html) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _cell(place: int, cell: object, numbers: Sequence[int], row_heads: bool) -> str:
    css = _class("n" if place in numbers else "")
    return f'<th scope="row"{css}>{html(cell)}</th>' if place == 0 and row_heads else f"<td{css}>{html(cell)}</td>"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
