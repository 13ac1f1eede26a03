// Draws every <figure class="chart" data-chart="KIND"> from the table inside it, so that a chart can never say other
// than its table. What a template writes for each kind stands in docs/how-to/add-a-chart.md. chart-kinds.js knows how
// a kind looks; this file finds figures, reads tables and colours, and keeps pictures, legends and tips up to date.
(() => {
  "use strict";

  const TOKENS = {
    text: "--ink",
    muted: "--ink-3",
    grid: "--chart-grid",
    surface: "--surface",
    accent: "--accent",
    good: "--chart-up",
    bad: "--chart-down",
    neutral: "--neutral",
    1: "--chart-1",
    2: "--chart-2",
    3: "--chart-3",
    4: "--chart-4",
    5: "--chart-5",
    6: "--chart-6",
  };
  const DASHES = { solid: null, dashed: [7, 4], dotted: [2, 3] };
  const NUMBERS = {
    number: { maximumFractionDigits: 2 },
    integer: { maximumFractionDigits: 0 },
    percent: { style: "percent", maximumFractionDigits: 1 },
    money: { notation: "compact", maximumFractionDigits: 1 },
  };
  const drawn = new Map(); // figure -> { chart, width, tip }

  // --- Reading -------------------------------------------------------------------------------------------------

  function numberOf(cell) {
    const written = cell?.dataset.value;
    if (written === undefined || written === "") return null;
    const value = Number(written);
    if (!Number.isFinite(value)) throw new Error(`data-value="${written}" is not a number`);
    return value;
  }

  const words = (cell) => (cell ? cell.textContent.trim().replace(/\s+/g, " ") : "");

  // A column is drawn if its heading has data-series.
  function readSeries(table) {
    const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    const columns = headings.map((cell, column) => ({ cell, column })).filter(({ cell }) => "series" in cell.dataset);
    return columns.map(({ cell, column }, index) => ({
      column,
      name: words(cell),
      chosen: "colour" in cell.dataset,
      colour: cell.dataset.colour || String((index % 6) + 1),
      dash: cell.dataset.dash || Object.keys(DASHES)[index % 3],
    }));
  }

  function readTable(table) {
    const series = readSeries(table);
    const rows = [...table.tBodies]
      .flatMap((body) => [...body.rows])
      .map((row) => ({
        label: words(row.cells[0]),
        short: row.cells[0].dataset.short || words(row.cells[0]), // on an axis
        x: numberOf(row.cells[0]),
        role: row.dataset.role || "",
        note: row.dataset.note || "",
        colour: row.dataset.colour || "",
        cells: series.map(({ column }) => {
          const cell = row.cells[column];
          return { value: numberOf(cell), text: words(cell), role: cell?.dataset.role || "" };
        }),
      }));
    if (rows.length && !series.length) throw new Error("no heading of the table has data-series");
    return { series, rows, corner: words(table.tHead.rows[table.tHead.rows.length - 1].cells[0]) };
  }

  // The browser resolves var(), light-dark() and the rest; a probe reads what came of it.
  function readTheme(canvas) {
    const style = getComputedStyle(canvas);
    const theme = { font: style.fontFamily, size: parseFloat(style.fontSize), dashes: DASHES };
    const kept = canvas.style.color;
    for (const [name, token] of Object.entries(TOKENS)) {
      canvas.style.color = `var(${token})`;
      theme[name] = getComputedStyle(canvas).color;
    }
    canvas.style.color = kept;
    return theme;
  }

  // Browsers differ in whether they know how numbers are written in Uzbek; these are the signs of CLDR.
  const UZBEK = { decimal: ",", group: "\u00a0", K: "\u00a0ming", M: "\u00a0mln", B: "\u00a0mlrd", T: "\u00a0trln" };

  function numberFormat(name) {
    const language = document.documentElement.lang || "en";
    const uzbek = language.startsWith("uz");
    const format = new Intl.NumberFormat(uzbek ? "en" : language, NUMBERS[name]);
    const signs = { minusSign: "−", ...(uzbek ? UZBEK : {}) };
    return (value) =>
      format
        .formatToParts(value)
        .map((part) => signs[part.type] ?? signs[part.value] ?? part.value)
        .join("");
  }

  const frameOf = (figure, width) => ({
    width,
    asked: figure.dataset,
    number: numberFormat(figure.dataset.format || "number"),
    plain: numberFormat(figure.dataset.xFormat || "number"),
  });

  // --- Drawing -------------------------------------------------------------------------------------------------

  function element(kind, className, parent) {
    const made = document.createElement(kind);
    made.className = className;
    parent?.append(made);
    return made;
  }

  function canvasOf(figure) {
    let canvas = figure.querySelector(":scope > .chart-drawing > .chart-canvas");
    if (!canvas) {
      const drawing = element("div", "chart-drawing");
      canvas = element("div", "chart-canvas", drawing);
      const caption = figure.querySelector(":scope > figcaption");
      if (caption) caption.after(drawing);
      else figure.prepend(drawing);
    }
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", figure.dataset.label || words(figure.querySelector("figcaption")));
    return canvas;
  }

  const SVG = "http://www.w3.org/2000/svg";
  function swatch({ colour, dash, line }, theme) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "chart-swatch");
    svg.setAttribute("viewBox", "0 0 22 12");
    const shape = svg.appendChild(document.createElementNS(SVG, line ? "path" : "rect"));
    const filled = { x: 5, y: 0, width: 12, height: 12, rx: 2, fill: theme[colour] };
    const stroked = { d: "M0 6H22", stroke: theme[colour], "stroke-width": 2.5 };
    if (DASHES[dash]) stroked["stroke-dasharray"] = DASHES[dash].join(" ");
    for (const [name, value] of Object.entries(line ? stroked : filled)) shape.setAttribute(name, value);
    return svg;
  }

  function drawLegend(canvas, entries, theme) {
    canvas.parentElement.querySelector(".chart-legend")?.remove();
    if (entries.length < 2) return;
    const legend = element("ul", "chart-legend");
    legend.setAttribute("aria-hidden", "true"); // the headings of the table say the same
    for (const entry of entries) {
      const item = element("li", "", legend);
      item.append(swatch(entry, theme), entry.name);
    }
    canvas.before(legend);
  }

  function drawNote(canvas, text) {
    canvas.parentElement.querySelector(".chart-note")?.remove();
    if (!text) return;
    const note = element("p", "chart-note");
    note.setAttribute("aria-hidden", "true"); // the first heading of the table says the same
    note.textContent = text;
    canvas.before(note);
  }

  function showTip(state, event) {
    const { chart, picture, theme } = state;
    const point = [event.offsetX, event.offsetY];
    const said = chart.containPixel("grid", point) && picture.tip?.(chart.convertFromPixel("grid", point));
    state.tip ??= element("div", "chart-tip", chart.getDom());
    state.tip.hidden = !said;
    if (!said) return;
    const title = element("strong", "");
    title.textContent = said.title;
    const lines = said.lines.map((line) => {
      const made = element("span", "");
      if (line.colour) made.append(swatch(line, theme));
      made.append(line.name ? `${line.name}: ${line.text}` : line.text);
      return made;
    });
    state.tip.replaceChildren(title, ...lines);
    const room = chart.getWidth() - state.tip.offsetWidth - 4;
    const left = event.offsetX + 14 > room ? event.offsetX - state.tip.offsetWidth - 14 : event.offsetX + 14;
    state.tip.style.left = `${Math.min(Math.max(4, left), Math.max(4, room))}px`;
    state.tip.style.top = `${Math.max(0, Math.min(event.offsetY - 10, chart.getHeight() - state.tip.offsetHeight))}px`;
  }

  function newState(figure, canvas) {
    // The tip goes with the picture that it belonged to.
    canvas.replaceChildren();
    const chart = window.echarts.init(canvas, null, { renderer: "svg", locale: "EN" });
    const state = { chart, width: canvas.clientWidth };
    chart.getZr().on("mousemove", (event) => showTip(state, event));
    chart.getZr().on("globalout", () => state.tip && (state.tip.hidden = true));
    drawn.set(figure, state);
    sizes.observe(canvas);
    return state;
  }

  function paint(figure) {
    const table = readTable(figure.querySelector("table"));
    const kind = window.chartKinds[figure.dataset.chart];
    if (!kind) throw new Error(`there is no chart of the kind "${figure.dataset.chart}"`);
    if (!table.rows.length) return forget(figure); // nothing to draw; the page says so
    const canvas = canvasOf(figure);
    const theme = readTheme(canvas);
    const width = canvas.clientWidth;
    if (!width) return sizes.observe(canvas); // not shown yet
    const picture = kind(table, theme, frameOf(figure, width));
    canvas.style.height = `${picture.height}px`;
    let state = drawn.get(figure);
    if (!state || state.chart.getDom() !== canvas) state = newState(figure, canvas);
    Object.assign(state, { picture, theme, width });
    state.chart.resize({ width, height: picture.height });
    state.chart.setOption({ ...picture.option, animation: false, aria: { enabled: false } }, { notMerge: true });
    drawLegend(canvas, picture.legend || [], theme);
    drawNote(canvas, picture.note);
  }

  function forget(figure) {
    const state = drawn.get(figure);
    drawn.delete(figure);
    if (state) {
      sizes.unobserve(state.chart.getDom());
      state.chart.dispose();
    }
    figure.querySelector(":scope > .chart-drawing")?.remove();
  }

  // A table that cannot be drawn stays as it is, open to read.
  function draw(figure) {
    if (!figure.querySelector("table")?.tHead) return;
    try {
      paint(figure);
      const first = figure.dataset.drawn === undefined;
      figure.dataset.drawn = "";
      const details = figure.querySelector(":scope > details");
      if (first && details && figure.dataset.table !== "open") details.open = false;
    } catch (error) {
      forget(figure);
      delete figure.dataset.drawn;
      console.error(`A ${figure.dataset.chart} chart is not drawn: ${error.message}`);
    }
  }

  // --- When ----------------------------------------------------------------------------------------------------

  // Also of a figure that was hidden: it is drawn once it has a width.
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const figure = target.closest("figure.chart");
      if (figure && target.clientWidth && target.clientWidth !== drawn.get(figure)?.width) draw(figure);
    }
    changes.takeRecords();
  });

  function figuresOf({ target, addedNodes }) {
    const within = [...addedNodes].filter((node) => node.nodeType === Node.ELEMENT_NODE);
    const brought = within.flatMap((node) =>
      node.matches("figure.chart") ? [node] : [...node.querySelectorAll("figure.chart")],
    );
    const around = target.closest("figure.chart");
    return around && !target.closest(".chart-drawing") ? [around, ...brought] : brought;
  }

  // Whoever changes a table, htmx or a script: its picture is drawn anew before the page is painted.
  const changes = new MutationObserver((records) => drawAll(records.flatMap(figuresOf)));

  function drawAll(figures) {
    for (const figure of drawn.keys()) if (!figure.isConnected) forget(figure);
    for (const figure of new Set(figures)) draw(figure);
    changes.takeRecords(); // our own
  }

  const redraw = () => drawAll(document.querySelectorAll("figure.chart"));
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme", "lang"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  function begin() {
    redraw();
    const attributes = ["data-value", "data-label", "data-format", "data-min", "data-max", "data-role"];
    changes.observe(document.body, { childList: true, subtree: true, attributeFilter: attributes });
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
