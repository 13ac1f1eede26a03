// The kinds of charts that are told by shades: a grid of points, and a score on its scale. See chart-kinds.js.
(() => {
  "use strict";

  const { textShape, axisText, valueAxis, limit, categoryAxis, widthOf, widest, isNarrow, grid } = window.chartShapes;

  const LEAST_SHADE = 0.14; // of the band in the middle, which is neither good nor bad

  // --- Shades: from bad over nothing to good, light enough for text to be read on them ---------------------------

  const shade = (strength) => ({
    colour: strength < 0 ? "bad" : "good",
    opacity: 0.06 + 0.44 * Math.min(1, Math.abs(strength)),
  });

  function heatmap(table, theme, frame) {
    const middle = Number(frame.asked.middle || 0);
    const cells = table.rows
      .flatMap((row, y) => row.cells.map((cell, x) => ({ ...cell, x, y })))
      .filter(({ value }) => value !== null);
    const farthest = Math.max(...cells.map(({ value }) => Math.abs(value - middle))) || 1;
    const shadeOf = ({ value }) => ({
      ...shade((value - middle) / farthest),
      ...(frame.asked.colour && { colour: frame.asked.colour }),
    });
    const named = { interval: 0, hideOverlap: false, lineHeight: theme.size * 1.2 };
    const rowName = { ...named, width: Math.round(Math.min(180, frame.width * 0.28)), overflow: "break" };
    const column = Math.round((frame.width - rowName.width - 20) / table.series.length) - 8;
    const names = table.series.map(({ name }) => name);
    const upright = isNarrow(frame) && widest(names, theme) > column * 1.7;
    const columnName = {
      ...named,
      width: upright ? 110 : column,
      overflow: upright ? "truncate" : "break",
      rotate: upright ? 90 : 0,
    };
    const head = upright
      ? Math.min(110, widest(names, theme) * 1.1)
      : Math.ceil((widest(names, theme) * 1.1) / column) * theme.size * 1.2;
    const bare = { axisLine: { show: false } };
    return {
      height: Math.round(table.rows.length * 36 + head + 16),
      option: {
        grid: grid({ top: 4, right: 4 }),
        xAxis: categoryAxis(theme, names, { ...bare, position: "top" }, columnName),
        yAxis: categoryAxis(
          theme,
          table.rows.map(({ label }) => label),
          { ...bare, inverse: true },
          rowName,
        ),
        series: [
          {
            type: "custom",
            data: cells.map(({ x, y, value }) => [x, y, value]),
            encode: { x: 0, y: 1 },
            renderItem: (params, api) =>
              tileShape(cells[params.dataIndex], shadeOf(cells[params.dataIndex]), api, theme),
          },
        ],
      },
      note: frame.asked.xName && frame.asked.yName ? `${frame.asked.yName} ↓ ${frame.asked.xName} →` : "",
      tip: ([x, y]) => {
        const cell = table.rows[y]?.cells[x];
        return cell?.text
          ? { title: `${table.rows[y].label} × ${table.series[x].name}`, lines: [{ text: cell.text }] }
          : null;
      },
    };
  }

  function tileShape({ x, y, text, role }, { colour, opacity }, api, theme) {
    const [centre, size] = [api.coord([x, y]), api.size([1, 1])];
    const current = role === "current";
    const inset = current ? 2 : 1;
    const shape = {
      x: centre[0] - size[0] / 2 + inset,
      y: centre[1] - size[1] / 2 + inset,
      width: Math.max(1, size[0] - 2 * inset),
      height: Math.max(1, size[1] - 2 * inset),
    };
    const children = [{ type: "rect", shape, style: { fill: theme[colour], opacity } }];
    if (current) children.push({ type: "rect", shape, style: { fill: "none", stroke: theme.text, lineWidth: 2 } });
    children.push(
      textShape(text, centre[0], centre[1], theme, { textAlign: "center", width: size[0] - 4, overflow: "truncate" }),
    );
    return { type: "group", children };
  }

  // --- A score on its scale --------------------------------------------------------------------------------------

  // Rows: role="band" from..to (an open end is empty), role="line" a cut-off, role="marker" the score.
  function scale(table, theme, frame) {
    const of = (role) => table.rows.filter((row) => row.role === role);
    const values = table.rows.flatMap((row) => row.cells.map(({ value }) => value)).filter((value) => value !== null);
    const room = (Math.max(...values) - Math.min(...values)) * 0.12 || 50;
    const min = limit(frame.asked.min) ?? Math.floor((Math.min(...values) - room) / 10) * 10;
    const max = limit(frame.asked.max) ?? Math.ceil((Math.max(...values) + room) / 10) * 10;
    const bands = of("band")
      .map((row) => ({ row, from: row.cells[0].value ?? min, to: row.cells[1]?.value ?? max }))
      .sort((a, b) => a.from - b.from)
      .map((band, i, all) => ({
        ...band,
        to: all[i + 1]?.from ?? band.to,
        ...bandColour(band.row, all.length > 1 ? (2 * i) / (all.length - 1) - 1 : 0),
      }));
    const said = (row) => ({ at: row.cells[0].value, text: `${row.label}: ${row.cells[0].text}` });
    const lines = levels(of("line").map(said), (at) => ((at - min) / (max - min)) * (frame.width - 16), theme);
    const marks = of("marker").map(said);
    const above = lines.length * 18 + 6;
    return {
      height: above + 40 + 22 + marks.length * 28,
      option: {
        grid: grid({ top: above, left: 8, right: 8, bottom: 22 + marks.length * 28, outerBoundsMode: "none" }),
        xAxis: valueAxis(theme, frame, {
          min,
          max,
          splitLine: { show: false },
          axisLabel: axisText(theme, {
            formatter: frame.number,
            hideOverlap: true,
            alignMinLabel: "left",
            alignMaxLabel: "right",
            margin: 8 + marks.length * 28,
          }),
        }),
        yAxis: { type: "category", data: [""], show: false },
        series: [bandSeries(bands, marks, theme), cutOffs(lines, theme), markers(marks, theme)],
      },
    };
  }

  // Words at different levels, left of the lines if all have room there, else right: so no line crosses other words.
  function levels(lines, place, theme) {
    const left = lines.every((line) => place(line.at) > widthOf(line.text, theme) + 8);
    lines.sort((a, b) => (left ? a.at - b.at : b.at - a.at));
    return lines.map((line, level) => ({ ...line, left, level }));
  }

  const bandColour = ({ colour }, strength) => {
    const { opacity, ...toned } = colour ? { colour, opacity: 0.4 } : shade(strength);
    return { ...toned, opacity: Math.max(LEAST_SHADE, opacity) };
  };

  // A name steps aside where a marker would cover it.
  const besideMarks = (x, places) =>
    places.reduce((found, mark) => (Math.abs(found - mark) < 12 ? mark + (found < mark ? -14 : 14) : found), x);

  const bandSeries = (list, marks, theme) => ({
    type: "custom",
    data: list.map(({ from, to }) => [from, to]),
    encode: { x: [0, 1] },
    renderItem: (params, api) => {
      const { row, from, to, colour, opacity } = list[params.dataIndex];
      const { y, height } = params.coordSys;
      const [left, right] = [api.coord([from, 0])[0], api.coord([to, 0])[0]];
      const shape = { x: left + 1, y, width: Math.max(1, right - left - 2), height };
      const places = marks.map(({ at }) => api.coord([at, 0])[0]);
      const name = textShape(row.label, besideMarks((left + right) / 2, places), y + height / 2, theme, {
        textAlign: "center",
        width: right - left - 4,
        overflow: "truncate",
      });
      // The outline parts the bands where their shades are too alike: 3:1 against each of them, light and dark.
      const outline = { fill: "none", stroke: theme.neutral, lineWidth: 1 };
      const children = [
        { type: "rect", shape, style: { fill: theme[colour], opacity } },
        { type: "rect", shape, style: outline },
        name,
      ];
      return { type: "group", children };
    },
  });

  // A text that keeps within the picture: it begins, ends or centres at x.
  const sideOf = (x, { x: left, width }) =>
    x < left + width * 0.25 ? "left" : x > left + width * 0.75 ? "right" : "center";

  const cutOffs = (list, theme) => ({
    type: "custom",
    data: list.map(({ at }) => [at]),
    encode: { x: 0 },
    z: 5,
    clip: false,
    renderItem: (params, api) => {
      const { at, text, level, left } = list[params.dataIndex];
      const { y, height } = params.coordSys;
      const x = Math.round(api.coord([at, 0])[0]);
      const top = y - 16 - level * 18;
      const line = {
        type: "line",
        shape: { x1: x, y1: top, x2: x, y2: y + height },
        style: { stroke: theme.text, lineWidth: 1.5, lineDash: theme.dashes.dashed },
      };
      return {
        type: "group",
        children: [line, textShape(text, x + (left ? -5 : 5), top + 5, theme, { textAlign: left ? "right" : "left" })],
      };
    },
  });

  const markers = (list, theme) => ({
    type: "custom",
    data: list.map(({ at }) => [at]),
    encode: { x: 0 },
    z: 6,
    clip: false,
    renderItem: (params, api) => {
      const { at, text } = list[params.dataIndex];
      const { y, height } = params.coordSys;
      const x = api.coord([at, 0])[0];
      const foot = y + height;
      const points = [
        [x, foot - 10],
        [x - 9, foot + 6],
        [x + 9, foot + 6],
      ];
      const bar = {
        type: "line",
        shape: { x1: x, y1: y, x2: x, y2: foot },
        style: { stroke: theme.text, lineWidth: 3 },
      };
      const arrow = { type: "polygon", shape: { points }, style: { fill: theme.text } };
      const said = textShape(text, x, foot + 18, theme, {
        textAlign: sideOf(x, params.coordSys),
        fontWeight: "bold",
        fontSize: theme.size + 2,
      });
      return { type: "group", children: [bar, arrow, said] };
    },
  });

  window.chartKinds = { ...window.chartKinds, heatmap, scale };
})();
