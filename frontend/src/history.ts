import uPlot from "uplot";
import { all, element } from "./data";

/** What render/history/html.py writes: a line per machine, every column as long as `commits`. */
interface Line {
  machine: string;
  value: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  /** Row of this machine's table, where the words of a point are. */
  rows: (number | null)[];
  changes: number[];
}

interface FigureData {
  id: string;
  unit: string;
  commits: string[];
  lines: Line[];
}

const HEIGHT = 280;

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function number(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 5 });
}

/** value, low, high of every line after the places 0..n-1. */
function columns(figure: FigureData): uPlot.AlignedData {
  const found: (number | null)[][] = [figure.commits.map((_, place) => place)];
  for (const line of figure.lines) found.push(line.value, line.low, line.high);
  return found as unknown as uPlot.AlignedData;
}

function series(figure: FigureData): uPlot.Series[] {
  const found: uPlot.Series[] = [{}];
  figure.lines.forEach((_, index) => {
    const colour = token(`--h${index % 8}`);
    const dash = index ? [6, 3 + index] : [];
    found.push({ stroke: colour, width: 2, dash, spanGaps: true, points: { show: true, size: 6, fill: colour } });
    found.push({ show: true, stroke: "transparent", width: 0, points: { show: false } });
    found.push({ show: true, stroke: "transparent", width: 0, points: { show: false } });
  });
  return found;
}

/** Intervals as thin bars behind the points, and a diamond with an upright line where the level changed. */
function drawMarks(plot: uPlot, figure: FigureData): void {
  const ink = plot.ctx;
  ink.save();
  ink.beginPath();
  ink.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
  ink.clip();
  figure.lines.forEach((line, index) => {
    ink.strokeStyle = ink.fillStyle = token(`--h${index % 8}`);
    ink.lineWidth = 1.5 * devicePixelRatio;
    ink.globalAlpha = 0.6;
    line.value.forEach((_, place) => {
      const low = line.low[place];
      const high = line.high[place];
      if (low == null || high == null) return;
      const x = plot.valToPos(place, "x", true);
      ink.beginPath();
      ink.moveTo(x, plot.valToPos(low, "y", true));
      ink.lineTo(x, plot.valToPos(high, "y", true));
      ink.stroke();
    });
    ink.globalAlpha = 1;
    for (const place of line.changes) drawChange(plot, ink, place, line.value[place] ?? null);
  });
  ink.restore();
}

function drawChange(plot: uPlot, ink: CanvasRenderingContext2D, place: number, value: number | null): void {
  const x = plot.valToPos(place - 0.5, "x", true);
  ink.save();
  ink.lineWidth = devicePixelRatio;
  ink.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ink.beginPath();
  ink.moveTo(x, plot.bbox.top);
  ink.lineTo(x, plot.bbox.top + plot.bbox.height);
  ink.stroke();
  ink.restore();
  if (value === null) return;
  const size = 7 * devicePixelRatio;
  const [cx, cy] = [plot.valToPos(place, "x", true), plot.valToPos(value, "y", true)];
  ink.beginPath();
  ink.moveTo(cx, cy - size);
  ink.lineTo(cx + size, cy);
  ink.lineTo(cx, cy + size);
  ink.lineTo(cx - size, cy);
  ink.closePath();
  ink.fill();
}

/** The tooltip's words are the table's: one line per machine that has a report at this place. */
function words(figure: FigureData, place: number): string[] {
  const tables = all<HTMLTableElement>(document.getElementById(figure.id) as HTMLElement, "table");
  const found: string[] = [];
  figure.lines.forEach((line, index) => {
    const row = line.rows[place];
    const cells = row == null ? undefined : tables[index]?.tBodies[0]?.rows[row]?.cells;
    if (!cells) return;
    const text = [1, 2, 3, 5, 6, 7].map((at) => cells[at]?.textContent?.trim()).filter(Boolean);
    found.push([...(figure.lines.length > 1 ? [line.machine] : []), ...text].join(" · "));
  });
  return found;
}

function showTip(plot: uPlot, tip: HTMLElement, figure: FigureData): void {
  const place = plot.cursor.idx;
  tip.hidden = place == null;
  if (place == null) return;
  tip.replaceChildren(element("b", figure.commits[place] ?? ""), ...words(figure, place).map((text) => element("p", text)));
  const box = plot.root.parentElement as HTMLElement;
  const x = plot.valToPos(place, "x") + plot.over.offsetLeft;
  // On the side with more room, so that it hides little of the chart.
  const left = x > box.clientWidth / 2 ? x - 12 - tip.offsetWidth : x + 12;
  tip.style.left = `${Math.max(4, Math.min(left, box.clientWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = "8px";
}

function axes(figure: FigureData): uPlot.Axis[] {
  const colour = { stroke: token("--soft"), grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--line2"), width: 1 } };
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return [
    {
      ...colour,
      font,
      space: 86,
      incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
      values: (_, at) => at.map((place) => (Number.isInteger(place) ? (figure.commits[place] ?? "") : "")),
    },
    { ...colour, font, size: 76, values: (_, at) => at.map((value) => `${number(value)}${figure.unit ? ` ${figure.unit}` : ""}`) },
  ];
}

/** From the lowest to the highest of intervals and values, with room: a cost that hardly changes must not look erratic. */
function range(_: uPlot, low: number | null, high: number | null): [number, number] {
  if (low == null || high == null) return [0, 1];
  const middle = (low + high) / 2;
  const half = Math.max((high - low) * 0.6, Math.abs(middle) * 0.01, 1e-9);
  return [middle - half, middle + half];
}

function draw(box: HTMLElement, figure: FigureData): uPlot {
  const tip = element("div", "", "chart-tip");
  tip.hidden = true;
  const plot = new uPlot(
    {
      width: box.clientWidth - 14,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: false, range: (_, low, high) => [low - 0.6, high + 0.6] }, y: { range } },
      axes: axes(figure),
      series: series(figure),
      hooks: { draw: [(made) => drawMarks(made, figure)], setCursor: [(made) => showTip(made, tip, figure)] },
    },
    columns(figure),
    box,
  );
  box.append(tip);
  return plot;
}

document.documentElement.classList.add("js");
const data = JSON.parse(document.getElementById("history-data")?.textContent ?? "[]") as FigureData[];
const drawn = new Map<HTMLElement, [uPlot, FigureData]>();

function drawAll(): void {
  for (const box of all<HTMLElement>(document, ".chart")) {
    const figure = data[Number(box.dataset.figure)];
    if (!figure) continue;
    drawn.get(box)?.[0].destroy();
    box.replaceChildren();
    drawn.set(box, [draw(box, figure), figure]);
  }
}

drawAll();
new ResizeObserver(() => {
  for (const [box, [plot]] of drawn) {
    const width = box.clientWidth - 14;
    if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
  }
}).observe(document.body);
for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", drawAll);
