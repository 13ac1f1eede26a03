// How each kind of chart looks: a function of its table, the colours and the width, to what ECharts draws.
// It gives { height, option, legend, tip }; tip(point on the axes) says what stands there, in the words of the table.
(() => {
  "use strict";

  const { textShape, barShape, bars, rules, axisText, valueAxis, categoryAxis, isNarrow, layRows, grid, rowTip, legendOf } =
    window.chartShapes;

  // --- Kinds -----------------------------------------------------------------------------------------------------

  // Rows: role="start" the reference score, the impacts, role="end" the score. Totals are marks, not bars: the axis does
  // not begin at nought, so the length of such a bar would say nothing.
  function waterfall(table, theme, frame) {
    const list = [];
    const laid = layRows(table, theme, frame);
    let total = 0;
    table.rows.forEach((row, at) => {
      const { value, text } = row.cells[0];
      if (value === null) throw new Error(`"${row.label}" has no number`);
      if (row.role === "end" && value !== total) throw new Error(`the impacts add up to ${total}, not to ${value}`);
      const mark = row.role === "start" || row.role === "end";
      const from = mark ? value : total;
      total = row.role === "end" ? total : total + value;
      list.push({
        at,
        from,
        to: total,
        text,
        start: laid.start,
        share: laid.share,
        colour: mark ? "neutral" : value < 0 ? "bad" : "good",
        mark,
      });
    });
    return {
      height: laid.height,
      option: {
        grid: grid({ right: laid.right, top: 4 }),
        xAxis: valueAxis(theme, frame, {
          scale: true,
          boundaryGap: ["4%", "4%"],
          splitNumber: isNarrow(frame) ? 4 : 6,
        }),
        yAxis: laid.axis,
        series: [
          ...laid.names,
          ...(isNarrow(frame) ? [] : [connectors(list, theme)]),
          { ...bars(list, true, theme), renderItem: (params, api) => stepShape(list[params.dataIndex], api, theme) },
        ],
      },
      tip: (point) => rowTip(table)(point[1]),
    };
  }

  function stepShape(bar, api, theme) {
    const made = barShape(bar, api, true, theme);
    if (bar.mark) Object.assign(made.children[0].shape, { x: made.children[0].shape.x - 2, width: 5 });
    return made;
  }

  // Thin lines from the end of each bar to the start of the next.
  const connectors = (list, theme) => ({
    type: "custom",
    data: list.slice(1).map((bar) => [bar.from, bar.at]),
    encode: { x: 0, y: 1 },
    silent: true,
    renderItem: (params, api) => {
      const [value, at] = [api.value(0), api.value(1)];
      const [from, to] = [api.coord([value, at - 1]), api.coord([value, at])];
      return {
        type: "line",
        shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] },
        style: { stroke: theme.muted, lineWidth: 1 },
      };
    },
  });

  // x of a row: the number of its first cell where every row has one, else its label.
  function lines(table, theme, frame) {
    const numeric = table.rows.every((row) => row.x !== null);
    const of = (role) => table.rows.map((row, at) => ({ row, at })).filter(({ row }) => row.role === role);
    const ruled = of("mark").map(({ row, at }) => ({ at: numeric ? row.x : at, text: row.note || row.label }));
    const running = of("running").map(({ row, at }) => ({ at, text: row.note }));
    // A limit is a column of one value: it leads on through a running week.
    const isLevel = (i) => new Set(table.rows.map((row) => row.cells[i].value)).size === 1;
    const series = table.series.map((one, i) => ({
      type: "line",
      name: one.name,
      data: table.rows.map((row, at) => {
        const isDrawn = row.role !== "running" || isLevel(i);
        return [numeric ? row.x : at, isDrawn ? row.cells[i].value : null];
      }),
      color: theme[one.colour],
      lineStyle: { width: 2, type: theme.dashes[one.dash] || "solid" },
      symbol: ["circle", "rect", "triangle", "diamond"][i % 4],
      symbolSize: 6,
      showSymbol: table.rows.length <= 30,
    }));
    // No line leads to what is counted so far: hollow points stand by themselves.
    const soFar = table.series.map((one, i) => ({
      type: "line",
      data: isLevel(i) ? [] : running.map(({ at }) => [at, table.rows[at].cells[i].value]),
      symbol: "circle",
      symbolSize: 7,
      itemStyle: { color: theme.surface, borderColor: theme[one.colour], borderWidth: 2 },
    }));
    return {
      height: isNarrow(frame) ? 220 : 280,
      option: {
        grid: grid({ top: ruled.length || running.length ? 26 : 16, right: 20 }),
        xAxis: numeric
          ? valueAxis(theme, frame, {
              min: "dataMin",
              max: "dataMax",
              splitLine: { show: false },
              axisLabel: axisText(theme, { hideOverlap: true, formatter: frame.plain }),
            })
          : categoryAxis(
              theme,
              table.rows.map((row) => row.short),
              { boundaryGap: true },
            ),
        yAxis: valueAxis(theme, frame, { scale: frame.asked.scale !== undefined }),
        series: [...series, rules(ruled, theme), ...(running.length ? [hatched(running, theme), ...soFar] : [])],
      },
      legend: legendOf(table, true),
      tip: (point) => rowTip(table, legendOf(table, true))(numeric ? nearest(table.rows, point[0]) : point[0]),
    };
  }

  // A week that is not over: slanting lines over its column, and in words how far it goes.
  const hatched = (list, theme) => ({
    type: "custom",
    data: list.map(({ at }) => [at]),
    encode: { x: 0 },
    silent: true,
    z: 1,
    clip: false,
    renderItem: ({ dataIndex, coordSys: { y, height } }, api) => {
      const width = api.size([1, 1])[0];
      const left = api.coord([list[dataIndex].at, 0])[0] - width / 2;
      const style = { stroke: theme.muted, lineWidth: 1, opacity: 0.45 };
      const lines = [];
      for (let from = -width; from < height; from += 8) {
        const [begin, end] = [Math.max(0, -from), Math.min(width, height - from)];
        const shape = { x1: left + begin, y1: y + from + begin, x2: left + end, y2: y + from + end };
        if (end > begin) lines.push({ type: "line", shape, style });
      }
      const said = { textAlign: "right", fill: theme.muted };
      return { type: "group", children: [...lines, textShape(list[dataIndex].text, left + width, y - 10, theme, said)] };
    },
  });

  const nearest = (rows, x) =>
    rows.reduce((best, row, i) => (Math.abs(row.x - x) < Math.abs(rows[best].x - x) ? i : best), 0);

  // Points per bin. One series: down and up colours; more: their own. role="current": the applicant's bin.
  function rowBars(table, theme, frame) {
    const several = table.series.length > 1;
    const laid = layRows(table, theme, frame, several ? table.series.length * 14 : 20);
    const share = laid.share / table.series.length;
    const list = table.rows.flatMap((row, at) =>
      row.cells.flatMap(({ value, text }, i) =>
        value === null
          ? []
          : [
              {
                at,
                from: 0,
                to: value,
                text,
                share,
                start: laid.start + share * i,
                colour: several || table.series[i].chosen ? table.series[i].colour : value < 0 ? "bad" : "good",
                stroke: row.role === "current" ? "text" : null,
              },
            ],
      ),
    );
    return {
      height: laid.height,
      option: {
        grid: grid({ right: laid.right, top: 4 }),
        xAxis: valueAxis(theme, frame, { splitNumber: isNarrow(frame) ? 4 : 6 }),
        yAxis: laid.axis,
        series: [...laid.names, bars(list, true, theme)],
      },
      legend: legendOf(table),
      tip: (point) => rowTip(table, several && legendOf(table))(point[1]),
    };
  }

  // The first series in filled bars, the others as outlines over them.
  function histogram(table, theme, frame) {
    const [filled, ...outlined] = table.series.map((series, i) => ({ series, i }));
    const list = table.rows.flatMap((row, at) => {
      const { value } = row.cells[filled.i];
      return value === null
        ? []
        : [{ at, from: 0, to: value, start: 0.04, share: 0.92, colour: filled.series.colour, opacity: 0.55 }];
    });
    const marks = table.rows.flatMap((row, at) => (row.role ? [{ at, edge: true, text: row.note || row.label }] : []));
    const legend = table.series.map(({ name, colour }, i) => ({ name, colour, dash: "solid", line: i > 0 }));
    return {
      height: isNarrow(frame) ? 220 : 280,
      option: {
        grid: grid({ top: marks.length ? 26 : 12 }),
        xAxis: categoryAxis(
          theme,
          table.rows.map(({ label }) => label),
        ),
        yAxis: valueAxis(theme, frame),
        series: [
          bars(list, false, theme),
          ...outlined.map(({ series, i }) =>
            outline(
              table.rows.map((row) => row.cells[i].value || 0),
              theme[series.colour],
            ),
          ),
          rules(marks, theme),
        ],
      },
      legend,
      tip: (point) => rowTip(table, legend)(point[0]),
    };
  }

  const outline = (values, stroke) => ({
    type: "custom",
    data: values.map((value, at) => [at, value]),
    encode: { x: 0, y: 1 },
    silent: true,
    z: 4,
    renderItem: ({ dataIndex: at }, api) => {
      const half = api.size([1, 1])[0] / 2;
      const y = (value) => api.coord([at, value])[1];
      const x = api.coord([at, 0])[0];
      const points = [
        [x - half, y(at ? values[at - 1] : 0)],
        [x - half, y(values[at])],
        [x + half, y(values[at])],
      ];
      if (at === values.length - 1) points.push([x + half, y(0)]);
      return { type: "polyline", shape: { points }, style: { fill: "none", stroke, lineWidth: 2 } };
    },
  });

  function stacked(table, theme, frame) {
    const list = table.rows.flatMap((row, at) => {
      let below = 0;
      return row.cells.map(({ value }, i) => {
        const from = below;
        below += value || 0;
        return {
          at,
          from,
          to: below,
          start: 0.1,
          share: 0.8,
          colour: table.series[i].colour,
          stroke: "surface",
          opacity: 0.85,
        };
      });
    });
    return {
      height: isNarrow(frame) ? 240 : 300,
      option: {
        grid: grid({ top: 12 }),
        xAxis: categoryAxis(
          theme,
          table.rows.map(({ label }) => label),
        ),
        yAxis: valueAxis(theme, frame),
        series: [bars(list, false, theme)],
      },
      legend: legendOf(table),
      tip: (point) => rowTip(table, legendOf(table))(point[0]),
    };
  }

  window.chartKinds = { ...window.chartKinds, waterfall, bars: rowBars, lines, histogram, stacked };
})();
