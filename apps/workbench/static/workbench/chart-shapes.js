// What the kinds of charts are put together from: rectangles and rules in the units of the axes, axes, rows of names.
(() => {
  "use strict";

  const NARROW = 520; // px

  // --- Shapes: rectangles and rules in the units of the axes -----------------------------------------------------

  const textShape = (text, x, y, theme, more) => ({
    type: "text",
    silent: true,
    style: {
      text,
      x,
      y,
      fill: theme.text,
      fontFamily: theme.font,
      fontSize: theme.size,
      textVerticalAlign: "middle",
      ...more,
    },
  });

  // bar: { at: index of the row, from, to, colour, start: share of the band where it begins, share: its thickness }
  function barShape(bar, api, across, theme) {
    const at = (value) => (across ? api.coord([value, bar.at]) : api.coord([bar.at, value]));
    const [a, b] = [at(bar.from), at(bar.to)];
    const band = Math.abs(api.size([1, 1])[across ? 1 : 0]);
    const side = band * (bar.start - 0.5);
    const thick = Math.max(1, band * bar.share);
    const shape = across
      ? { x: Math.min(a[0], b[0]), y: a[1] + side, width: Math.max(1, Math.abs(b[0] - a[0])), height: thick }
      : {
          x: a[0] + side,
          y: Math.min(a[1], b[1]),
          width: thick,
          height: Math.max(bar.from === bar.to ? 0 : 1, Math.abs(b[1] - a[1])),
        };
    const style = {
      fill: theme[bar.colour],
      opacity: bar.opacity ?? 1,
      stroke: bar.stroke && theme[bar.stroke],
      lineWidth: bar.stroke ? 2 : 0,
    };
    const children = [{ type: "rect", shape, style }];
    if (bar.text) {
      const said = across
        ? textShape(bar.text, shape.x + shape.width + 6, shape.y + thick / 2, theme, { textAlign: "left" })
        : textShape(bar.text, shape.x + thick / 2, shape.y - 9, theme, { textAlign: "center" });
      children.push(said);
    }
    return { type: "group", children };
  }

  const bars = (list, across, theme) => ({
    type: "custom",
    data: list.map((bar) => (across ? [bar.from, bar.to, bar.at] : [bar.at, bar.from, bar.to])),
    encode: across ? { x: [0, 1], y: 2 } : { x: 0, y: [1, 2] },
    renderItem: (params, api) => barShape(list[params.dataIndex], api, across, theme),
    clip: false,
  });

  // rule: { at: value on the x axis, text, edge: at the left edge of its band }: from the bottom to the top of the picture
  const rules = (list, theme) => ({
    type: "custom",
    data: list.map((rule) => [rule.at]),
    encode: { x: 0 },
    z: 5,
    renderItem: (params, api) => {
      const rule = list[params.dataIndex];
      const { y, height, x: left, width } = params.coordSys;
      const x = Math.round(api.coord([rule.at, 0])[0] - (rule.edge ? api.size([1, 1])[0] / 2 : 0));
      const style = { stroke: theme.text, lineWidth: 1.5, lineDash: theme.dashes.dashed };
      const late = x > left + width / 2;
      const said = textShape(rule.text, x + (late ? -5 : 5), y - 9, theme, { textAlign: late ? "right" : "left" });
      return {
        type: "group",
        children: [{ type: "line", shape: { x1: x, y1: y - 14, x2: x, y2: y + height }, style }, said],
      };
    },
    clip: false,
  });

  // --- Axes ------------------------------------------------------------------------------------------------------

  const axisText = (theme, more) => ({ color: theme.muted, fontFamily: theme.font, fontSize: theme.size, ...more });

  const valueAxis = (theme, frame, more) => ({
    type: "value",
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: axisText(theme, { formatter: frame.number, hideOverlap: true }),
    splitLine: { lineStyle: { color: theme.grid } },
    min: limit(frame.asked.min),
    max: limit(frame.asked.max),
    ...more,
  });

  const limit = (written) => (written === undefined || written === "" ? null : Number(written));

  const categoryAxis = (theme, labels, more, label) => ({
    type: "category",
    data: labels,
    axisLine: { lineStyle: { color: theme.muted } },
    axisTick: { show: false },
    axisLabel: axisText(theme, { hideOverlap: true, ...label }),
    ...more,
  });

  const widthOf = (text, theme) => text.length * theme.size * 0.58; // about
  const widest = (texts, theme) => Math.max(0, ...texts.map((text) => widthOf(text, theme)));
  const isNarrow = (frame) => frame.width < NARROW;

  // Rows of a table down the picture: names at the left, or on a phone above each bar; thick: the height of a bar.
  function layRows(table, theme, frame, thick = 20) {
    const narrow = isNarrow(frame);
    const names = table.rows.map(({ label }) => label);
    const room = narrow ? frame.width - 16 : Math.min(240, Math.round(frame.width * 0.38));
    const lines = narrow ? 1 : Math.ceil((widest(names, theme) * 1.1) / room);
    const band = narrow ? thick + 23 : Math.max(thick + 11, lines * theme.size * 1.2 + 6);
    const styled = table.rows.map(({ label, role }) => ({
      value: label,
      textStyle: { fontWeight: role === "current" ? "bold" : "normal" },
    }));
    const label = {
      show: !narrow,
      interval: 0,
      hideOverlap: false,
      color: theme.text,
      lineHeight: theme.size * 1.2,
      width: room,
      overflow: "break",
    };
    return {
      height: Math.round(table.rows.length * band) + 34,
      start: (narrow ? 20 : (band - thick) / 2) / band,
      share: thick / band,
      axis: categoryAxis(theme, styled, { inverse: true, axisLine: { show: false } }, label),
      names: narrow ? [namesAbove(table.rows, room, band, theme)] : [],
      right:
        widest(
          table.rows.flatMap(({ cells }) => cells.map(({ text }) => text)),
          theme,
        ) + 14,
    };
  }

  const namesAbove = (rows, width, band, theme) => ({
    type: "custom",
    data: rows.map((row, at) => [at]),
    encode: { y: 0 },
    silent: true,
    z: 4,
    renderItem: ({ dataIndex: at, coordSys }, api) => {
      const y = api.coord([0, at])[1] - band / 2 + 11;
      return textShape(rows[at].label, coordSys.x, y, theme, {
        width,
        overflow: "truncate",
        fontWeight: rows[at].role === "current" ? "bold" : "normal",
      });
    },
  });

  const grid = (more) => ({ left: 4, right: 12, top: 16, bottom: 4, outerBoundsMode: "same", ...more });

  const rowTip = (table, colours) => (index) => {
    const row = table.rows[index];
    if (!row) return null;
    const lines = table.series.map((series, i) => ({
      name: table.series.length > 1 ? series.name : "",
      text: row.cells[i].text,
      colour: colours?.[i]?.colour,
      ...colours?.[i],
    }));
    return { title: row.label, lines: lines.filter((line) => line.text) };
  };

  const legendOf = (table, line) => table.series.map(({ name, colour, dash }) => ({ name, colour, dash, line }));

  window.chartShapes = {
    textShape,
    bars,
    rules,
    axisText,
    valueAxis,
    limit,
    categoryAxis,
    widthOf,
    widest,
    isNarrow,
    layRows,
    grid,
    rowTip,
    legendOf,
    barShape,
  };
})();
