import { all, element, type FlameData, type ReportData } from "./data";
import { buildModel, byName, children, cost, matching, path, type FlameModel } from "./flame-model";
import { amount, percent } from "./numbers";

const ROW = 20;
const TABLE_ROWS = 60;
/** A box narrower than this is not drawn, and neither is anything above it: see the counts in docs. */
const NARROWEST = 0.5;

interface Box {
  node: number;
  left: number;
  width: number;
}

interface Colours {
  category: string[];
  python: string[];
  native: string[];
  ink: string;
  paper: string;
  mark: string;
  focus: string;
  line: string;
}

function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string): string => style.getPropertyValue(name).trim();
  return {
    category: Array.from({ length: 11 }, (_, i) => get(`--k${i}`)),
    python: [0, 1, 2].map((i) => get(`--py${i}`)),
    native: [0, 1, 2].map((i) => get(`--na${i}`)),
    ink: get("--flame-ink"),
    paper: get("--raised"),
    mark: get("--flame-mark"),
    focus: get("--link"),
    line: get("--soft"),
  };
}

/** One canvas for all graphs of the page; the picker chooses which is drawn. */
export function connectFlames(data: ReportData): void {
  const box = document.querySelector<HTMLElement>("#flame-box");
  if (box && data.flames.length > 0) new FlameGraph(box, data);
}

class FlameGraph {
  private readonly canvas = element("canvas");
  private readonly tip = element("div", "", "flame-float");
  private readonly pick = document.querySelector("#flame-pick") as HTMLSelectElement;
  private readonly query = document.querySelector("#flame-q") as HTMLInputElement;
  private readonly found = document.querySelector("#flame-found") as HTMLElement;
  private readonly crumbs = document.querySelector("#flame-crumbs") as HTMLElement;
  private readonly status = document.querySelector("#flame-tip") as HTMLElement;
  private readonly table = document.querySelector("#flame-table") as HTMLDetailsElement;
  private readonly legend = document.querySelector("#flame-legend") as HTMLElement;
  private readonly models = new Map<string, FlameModel>();
  private data: FlameData;
  private model: FlameModel;
  private colours = readColours();
  private rows: Box[][] = [];
  private zoom = -1;
  private cursor = -1;
  private hover = -1;
  private hit: Uint8Array | null = null;

  constructor(
    private readonly box: HTMLElement,
    private readonly all: ReportData,
  ) {
    this.data = all.flames[0] as FlameData;
    this.model = this.load(this.data);
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", "flame graph");
    this.canvas.setAttribute("aria-describedby", "flame-help");
    this.tip.hidden = true;
    this.tip.setAttribute("aria-hidden", "true");
    box.append(this.canvas, this.tip);
    this.listen();
    this.choose(this.data.id);
    this.fromHash();
  }

  private load(data: FlameData): FlameModel {
    const known = this.models.get(data.id);
    if (known) return known;
    const made = buildModel(data);
    this.models.set(data.id, made);
    return made;
  }

  private choose(id: string): void {
    const data = this.all.flames.find((flame) => flame.id === id);
    if (!data) return;
    this.data = data;
    this.model = this.load(data);
    this.pick.value = id;
    this.zoom = this.cursor = this.hover = -1;
    const label = this.pick.selectedOptions[0]?.textContent ?? "";
    this.canvas.setAttribute("aria-label", `Flame graph: ${label}`);
    this.status.textContent = `${label}: ${amount(this.model.sum, data.unit)} per request in the whole graph.`;
    const head = all<HTMLElement>(document, "[data-flame]").find((item) => item.dataset.flame === id);
    (document.querySelector("#flame-folded") as HTMLElement).textContent = head?.dataset.folded ?? "";
    this.writeLegend();
    this.search();
    this.refresh();
  }

  private listen(): void {
    this.pick.addEventListener("change", () => {
      this.choose(this.pick.value);
      history.replaceState(null, "", `#${this.data.id}`);
    });
    this.query.addEventListener("input", () => {
      this.search();
      this.draw();
    });
    (document.querySelector("#flame-reset") as HTMLButtonElement).addEventListener("click", () => this.zoomTo(-1));
    this.canvas.addEventListener("click", (event) => {
      const node = this.at(event);
      if (node >= 0) {
        this.cursor = node;
        this.zoomTo(node === this.zoom ? (this.model.parent[node] as number) : node);
      }
    });
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => {
      this.hover = -1;
      this.tip.hidden = true;
      this.draw();
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => this.draw());
    this.canvas.addEventListener("focus", () => this.draw());
    this.table.addEventListener("toggle", () => this.writeTable());
    window.addEventListener("hashchange", () => this.fromHash());
    new ResizeObserver(() => this.draw()).observe(this.box);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.colours = readColours();
      this.draw();
    });
  }

  private fromHash(): void {
    const id = decodeURIComponent(location.hash.slice(1));
    if (!this.all.flames.some((flame) => flame.id === id)) return;
    this.choose(id);
    this.box.scrollIntoView({ block: "center" });
  }

  private zoomTo(node: number): void {
    this.zoom = node;
    this.hover = -1;
    this.tip.hidden = true;
    if (node >= 0) this.say(node);
    this.refresh();
  }

  private refresh(): void {
    this.writeCrumbs();
    this.writeTable();
    this.draw();
  }

  /** Boxes of this view, row by row; what is narrower than half a pixel is skipped with all that is below it. */
  private layout(width: number): void {
    const { model, zoom } = this;
    const shown = cost(model, zoom);
    const scale = shown > 0 ? width / shown : 0;
    const from = zoom < 0 ? 0 : (model.x[zoom] as number);
    this.rows = path(model, zoom).map((node) => [{ node, left: 0, width }]);
    const stop = zoom < 0 ? model.size : (model.end[zoom] as number);
    let node = zoom + 1;
    while (node < stop) {
      const wide = (model.total[node] as number) * scale;
      if (wide < NARROWEST) {
        node = model.end[node] as number;
        continue;
      }
      const row = model.depth[node] as number;
      (this.rows[row] ??= []).push({ node, left: ((model.x[node] as number) - from) * scale, width: wide });
      node += 1;
    }
  }

  private draw(): void {
    const style = getComputedStyle(this.box);
    const width = this.box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (width <= 0) return;
    this.layout(width);
    const ratio = window.devicePixelRatio || 1;
    const height = Math.max(this.rows.length, 1) * ROW;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.height = `${height}px`;
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.font = "12px " + getComputedStyle(document.documentElement).getPropertyValue("--mono");
    pen.textBaseline = "middle";
    const letter = pen.measureText("0").width;
    const above = this.zoom < 0 ? 0 : path(this.model, this.zoom).length - 1;
    this.rows.forEach((boxes, row) => {
      for (const box of boxes) this.paint(pen, box, row * ROW, letter, row < above);
    });
    const focused = document.activeElement === this.canvas ? this.cursor : -1;
    for (const node of [this.hover, focused]) this.outline(pen, node, node === focused);
  }

  private paint(pen: CanvasRenderingContext2D, box: Box, top: number, letter: number, dim: boolean): void {
    const name = this.model.name[box.node] as number;
    const gap = box.width > 3 ? 1 : 0;
    const marked = this.hit?.[name] === 1;
    pen.globalAlpha = dim ? 0.55 : this.hit && !marked ? 0.45 : 1;
    pen.fillStyle = marked ? this.colours.mark : this.fill(name);
    pen.fillRect(box.left, top, box.width - gap, ROW - 1);
    const room = Math.floor((box.width - 8) / letter);
    if (room >= 3) {
      const text = this.model.names[name] as string;
      pen.fillStyle = this.colours.ink;
      pen.globalAlpha = 1;
      pen.fillText(text.length <= room ? text : `${text.slice(0, room - 1)}…`, box.left + 4, top + ROW / 2);
    }
    pen.globalAlpha = 1;
  }

  private fill(name: number): string {
    const hue = this.data.hue[name] ?? -1;
    if (hue > 0) return this.colours.category[hue] as string;
    const tints = this.data.kind[name] === 0 ? this.colours.python : this.colours.native;
    return tints[name % tints.length] as string;
  }

  private outline(pen: CanvasRenderingContext2D, node: number, focus: boolean): void {
    if (node < 0) return;
    const row = this.model.depth[node] as number;
    const box = this.rows[row]?.find((b) => b.node === node);
    if (!box) return;
    pen.lineWidth = focus ? 2.5 : 1.5;
    pen.strokeStyle = focus ? this.colours.focus : this.colours.line;
    pen.strokeRect(box.left + 1, row * ROW + 1, Math.max(box.width - 3, 1), ROW - 3);
  }

  private at(event: MouseEvent): number {
    const area = this.canvas.getBoundingClientRect();
    const x = event.clientX - area.left;
    const row = this.rows[Math.floor((event.clientY - area.top) / ROW)];
    return row?.find((box) => x >= box.left && x < box.left + box.width)?.node ?? -1;
  }

  private words(node: number): string {
    const { model, data } = this;
    const name = model.name[node] as number;
    const total = model.total[node] as number;
    const self = model.own[node] as number;
    const category = data.category[name];
    return (
      `total ${amount(total, data.unit)} (${percent(total / model.sum)}), self ${amount(self, data.unit)} ` +
      `(${percent(self / model.sum)}) per request${category ? `; ${category}` : ""}`
    );
  }

  private point(event: PointerEvent): void {
    const node = this.at(event);
    if (node !== this.hover) {
      this.hover = node;
      this.draw();
    }
    this.tip.hidden = node < 0 || event.pointerType === "touch";
    if (this.tip.hidden) return;
    const name = this.model.names[this.model.name[node] as number] as string;
    this.tip.replaceChildren(element("code", name), element("span", this.words(node)));
    const area = this.box.getBoundingClientRect();
    const x = event.clientX - area.left;
    const left = Math.max(4, Math.min(x + 14, area.width - this.tip.offsetWidth - 6));
    const y = event.clientY - area.top;
    const below = y + 18 + this.tip.offsetHeight < area.height;
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${below ? y + 18 : Math.max(2, y - this.tip.offsetHeight - 10)}px`;
  }

  private say(node: number): void {
    const name = this.model.names[this.model.name[node] as number] as string;
    this.status.replaceChildren(element("code", name), ` ${this.words(node)}`);
  }

  private key(event: KeyboardEvent): void {
    const { model } = this;
    const here = this.cursor;
    const siblings = children(model, here < 0 ? -1 : (model.parent[here] as number));
    const drawn = siblings.filter((node) => this.rows[model.depth[node] as number]?.some((box) => box.node === node));
    const place = drawn.indexOf(here);
    const largest = children(model, here).sort((a, b) => cost(model, b) - cost(model, a))[0];
    let next: number | undefined;
    switch (event.key) {
      case "ArrowDown":
        next = largest;
        break;
      case "ArrowUp":
        next = here >= 0 && (model.parent[here] as number) >= 0 ? (model.parent[here] as number) : undefined;
        break;
      case "ArrowLeft":
        next = drawn[place - 1];
        break;
      case "ArrowRight":
        next = drawn[place + 1];
        break;
      case "Enter":
      case " ":
        if (here >= 0) this.zoomTo(here);
        break;
      case "Escape":
        if (this.zoom < 0) return;
        this.zoomTo(model.parent[this.zoom] as number);
        break;
      case "Home":
        this.zoomTo(-1);
        break;
      default:
        return;
    }
    event.preventDefault();
    if (next === undefined) return;
    this.cursor = next;
    this.say(next);
    if (!this.rows[model.depth[next] as number]?.some((box) => box.node === next)) this.zoomTo(next);
    this.draw();
  }

  private search(): void {
    const words = this.query.value.toLowerCase().trim();
    if (words === "") {
      this.hit = null;
      this.found.textContent = "";
      return;
    }
    this.hit = Uint8Array.from(this.model.names, (name) => (name.toLowerCase().includes(words) ? 1 : 0));
    const { frames, cost: sum } = matching(this.model, this.hit);
    this.found.textContent =
      frames === 0 ? "no frame matches" : `${frames} frames match, ${percent(sum / this.model.sum)} of the cost`;
  }

  private writeCrumbs(): void {
    const nodes = path(this.model, this.zoom);
    const parts: Node[] = [];
    const add = (text: string, node: number): void => {
      const button = element("button", text);
      button.type = "button";
      button.addEventListener("click", () => this.zoomTo(node));
      if (parts.length > 0) parts.push(element("span", "›"));
      parts.push(button);
    };
    add("whole graph", -1);
    const shown = nodes.length > 5 ? nodes.slice(-5) : nodes;
    if (shown.length < nodes.length) parts.push(element("span", "› …"));
    for (const node of shown) add(this.model.names[this.model.name[node] as number] as string, node);
    this.crumbs.replaceChildren(...parts);
  }

  private writeLegend(): void {
    const used = new Set(Array.from(this.data.hue));
    const items: HTMLElement[] = [];
    const add = (css: string, text: string): void => {
      const item = element("li");
      item.append(element("span", "", `cat ${css}`), text);
      items.push(item);
    };
    for (const [hue, label] of this.all.legend) if (used.has(hue)) add(`k${hue}`, label);
    const others = new Set(this.data.kind.filter((_, name) => (this.data.hue[name] ?? -1) <= 0));
    if (others.has(0)) add("py", "other Python");
    if (others.size > (others.has(0) ? 1 : 0)) add("na", "other native, kernel");
    this.legend.replaceChildren(...items);
  }

  private writeTable(): void {
    if (!this.table.open) return;
    const { model, data } = this;
    const rows = byName(model, this.zoom);
    const table = element("table", "", "plain");
    const head = element("tr");
    for (const title of ["function", "category", "self", "share", "total", "share"]) {
      const cell = element("th", title);
      cell.scope = "col";
      head.append(cell);
    }
    const body = element("tbody");
    for (const { name, self, total } of rows.slice(0, TABLE_ROWS)) {
      const row = element("tr");
      const first = element("th");
      first.scope = "row";
      first.append(element("code", model.names[name] as string));
      row.append(first, element("td", data.category[name] || "–"));
      for (const value of [self, total]) {
        row.append(element("td", amount(value, data.unit), "n"), element("td", percent(value / model.sum), "n"));
      }
      body.append(row);
    }
    const top = element("thead");
    top.append(head);
    table.append(top, body);
    const rest = rows.length - TABLE_ROWS;
    const box = this.table.querySelector(".scroll") as HTMLElement;
    box.replaceChildren(table);
    if (rest > 0) box.append(element("p", `${rest} more functions not shown`, "soft"));
  }
}
