// What charts.js draws with, and no more: lines, rectangles of our own (custom), axes, SVG.
// The tooltip and the legend of ECharts set inline styles and know no languages of ours; charts.js has its own.
import { getInstanceByDom, init, use } from "echarts/core";
import { CustomChart, LineChart } from "echarts/charts";
import { GridSimpleComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

use([CustomChart, LineChart, GridSimpleComponent, SVGRenderer]);
window.echarts = { init, getInstanceByDom };
