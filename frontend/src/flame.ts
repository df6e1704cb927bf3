import { element, type FlameData, type ReportData } from "./data";
import { layout, Painter, readColours, ROW, type View } from "./flame-draw";
import { crumbs, placeTip, type Crumb } from "./flame-around";
import { ask, isDrawn } from "./flame-keys";
import { matching, nextMatch, path, type FlameModel } from "./flame-model";
import { Graphs } from "./flame-store";
import { boxWords, graphWords, legend, viewTable } from "./flame-text";
import { keep } from "./fragment";
import { counted, grouped, percent } from "./numbers";

const CRUMBS = 5;
/** Rows shown without scrolling; a deeper graph scrolls in its box, so that no canvas grows past a browser's limit. */
const ROWS_WHOLE = 80;

/** One canvas for all graphs of the page; the picker chooses which is drawn. */
export class FlameGraph {
  private readonly canvas = element("canvas");
  private readonly tall = element("div", "", "flame-tall");
  private readonly tip = element("div", "", "flame-float");
  private readonly pick = document.querySelector("#flame-pick") as HTMLSelectElement;
  private readonly query = document.querySelector("#flame-q") as HTMLInputElement;
  private readonly found = document.querySelector("#flame-found") as HTMLElement;
  private readonly crumbs = document.querySelector("#flame-crumbs") as HTMLElement;
  private readonly status = document.querySelector("#flame-tip") as HTMLElement;
  private readonly narrow = document.querySelector("#flame-narrow") as HTMLElement;
  private readonly table = document.querySelector("#flame-table") as HTMLDetailsElement;
  private readonly legend = document.querySelector("#flame-legend") as HTMLElement;
  private readonly frames: FlameData;
  private readonly painter: Painter;
  private readonly graphs: Graphs;
  private model: FlameModel | null = null;
  private id: string;
  private unit = "1";
  private view: View = { rows: [], dust: [], narrow: 0 };
  private zoom = -1;
  private cursor = -1;
  private hover = -1;
  private hit: Uint8Array | null = null;
  /** Width of the box as it was drawn, and its height where that mattered: else -1. */
  private drawn: [number, number] = [-1, -1];
  private started = false;
  private waiting = false;

  constructor(
    private readonly box: HTMLElement,
    private readonly all: ReportData,
  ) {
    this.frames = all.flames;
    this.graphs = new Graphs(this.frames);
    this.painter = new Painter(this.canvas, this.frames);
    this.id = this.pick.value;
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", "flame graph");
    this.canvas.setAttribute("aria-label", "Flame graph");
    this.canvas.setAttribute("aria-describedby", "flame-help");
    this.tip.hidden = true;
    this.tip.setAttribute("aria-hidden", "true");
    this.tall.append(this.canvas);
    box.append(this.tall, this.tip);
    this.listen();
  }

  async start(): Promise<void> {
    if (!this.started) {
      this.started = true;
      await this.choose(this.id, this.zoom);
    }
  }

  private async choose(id: string, zoom = -1): Promise<void> {
    this.id = id;
    this.pick.value = id;
    const model = await this.graphs.load(id);
    if (this.id !== id) return; // another one was asked for meanwhile
    this.model = model;
    this.unit = this.graphs.unit(id);
    this.zoom = zoom < model.size ? zoom : -1;
    this.cursor = this.zoom;
    this.hover = -1;
    const label = this.pick.selectedOptions[0]?.textContent ?? "";
    this.canvas.setAttribute("aria-label", `${this.graphs.isDifference(id) ? "Differential flame" : "Flame"} graph: ${label}`);
    this.status.textContent = graphWords(label, model, this.unit);
    this.legend.replaceChildren(...legend(model, this.frames, this.all.legend));
    this.search();
    this.refresh();
    this.box.dataset.drawn = id;
  }

  write(state: URLSearchParams): void {
    if (this.id !== this.pick.options[0]?.value || this.zoom >= 0) state.set("graph", this.id);
    if (this.zoom >= 0) state.set("frame", String(this.zoom));
    if (this.query.value) state.set("mark", this.query.value);
  }

  read(state: URLSearchParams, id: string): void {
    const wanted = this.graphs.knows(id) ? id : (state.get("graph") ?? "");
    if (state.has("mark")) this.query.value = state.get("mark") ?? "";
    if (this.graphs.knows(id)) this.box.scrollIntoView({ block: "center", behavior: "instant" });
    if (!this.graphs.knows(wanted)) return;
    const frame = Number(state.get("frame") ?? -1);
    this.zoom = state.get("graph") === wanted && Number.isInteger(frame) && frame >= 0 ? frame : -1;
    this.id = wanted;
    this.pick.value = wanted;
    if (this.started) void this.choose(wanted, this.zoom);
    else void this.start();
  }

  private listen(): void {
    this.pick.addEventListener("change", () => void this.choose(this.pick.value).then(() => keep(this.id)));
    this.query.addEventListener("input", () => {
      this.search();
      this.draw();
      keep();
    });
    this.query.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.goToMatch();
    });
    (document.querySelector("#flame-reset") as HTMLButtonElement).addEventListener("click", () => this.zoomTo(-1));
    this.canvas.addEventListener("click", (event) => this.click(this.at(event)));
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.leave());
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => this.draw());
    this.canvas.addEventListener("focus", () => this.draw());
    this.table.addEventListener("toggle", () => this.writeTable());
    this.box.addEventListener("scroll", () => this.later(), { passive: true });
    // A drawing sets the height of its own box: only another size than the one drawn asks for another drawing.
    new ResizeObserver(() => {
      const [width, height] = this.drawn;
      if (this.box.clientWidth !== width || (height >= 0 && this.box.clientHeight !== height)) this.later();
    }).observe(this.box);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.painter.colours = readColours();
      this.draw();
    });
  }

  private later(): void {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  private draw(): void {
    const { model, box } = this;
    if (!model) return;
    const style = getComputedStyle(box);
    const outer = box.clientWidth;
    const width = outer - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (width <= 0) return;
    this.view = layout(model, this.zoom, width);
    const rows = Math.max(this.view.rows.length, this.view.dust.length, 1);
    box.classList.toggle("scrolls", rows > ROWS_WHOLE);
    this.tall.style.height = `${rows * ROW}px`;
    const whole = rows <= ROWS_WHOLE;
    const seen = whole ? -1 : box.clientHeight;
    const height = whole ? rows * ROW : Math.min(seen, rows * ROW);
    this.drawn = [outer, seen];
    const cursor = document.activeElement === this.canvas ? this.cursor : -1;
    const { zoom, hit, hover, view } = this;
    this.painter.draw({ model, view, zoom, hit, hover, cursor, width, height, top: whole ? 0 : box.scrollTop });
    const many = this.view.narrow;
    this.narrow.textContent = many === 0 ? "" :
      `${grouped(many)} of ${grouped(model.size)} frames are narrower than half a pixel ` +
      "here: zoom in or search to reach them.";
  }

  private zoomTo(node: number): void {
    if (!this.model) return;
    this.zoom = node;
    this.leave();
    if (node >= 0) this.say(node);
    this.refresh();
    this.show(node);
    keep(this.id);
  }

  private refresh(): void {
    this.writeCrumbs();
    this.writeTable();
    this.draw();
  }

  private stand(node: number): void {
    if (!this.model) return;
    this.cursor = node;
    this.say(node);
    if (isDrawn(this.view, this.model, node)) {
      this.show(node);
      this.draw();
    } else {
      this.zoomTo(node);
    }
  }

  /** Scrolls a deep graph so that the row of a node is seen. */
  private show(node: number): void {
    if (node < 0 || !this.model) return;
    const top = (this.model.depth[node] as number) * ROW;
    const { scrollTop, clientHeight } = this.box;
    if (top < scrollTop || top + ROW * 2 > scrollTop + clientHeight) this.box.scrollTop = top - clientHeight / 3;
  }

  private click(node: number): void {
    if (node < 0 || !this.model) return;
    this.cursor = node;
    this.zoomTo(node === this.zoom ? (this.model.parent[node] as number) : node);
  }

  private key(event: KeyboardEvent): void {
    if (!this.model || event.ctrlKey || event.metaKey || event.altKey) return;
    const asked = ask(event.key, this.model, this.view, this.cursor, this.zoom);
    if (asked === null) {
      if (event.key.startsWith("Arrow")) event.preventDefault();
      return;
    }
    event.preventDefault();
    if ("match" in asked) this.goToMatch();
    else if ("zoom" in asked) this.zoomTo(asked.zoom);
    else this.stand(asked.cursor);
  }

  private goToMatch(): void {
    if (!this.model || !this.hit) return;
    const node = nextMatch(this.model, this.hit, this.cursor);
    if (node < 0) return;
    this.canvas.focus();
    this.stand(node);
  }

  private at(event: MouseEvent): number {
    const area = this.canvas.getBoundingClientRect();
    const x = event.clientX - area.left;
    const top = this.box.classList.contains("scrolls") ? this.box.scrollTop : 0;
    const row = this.view.rows[Math.floor((event.clientY - area.top + top) / ROW)];
    return row?.find((box) => x >= box.left && x < box.left + box.width)?.node ?? -1;
  }

  private point(event: PointerEvent): void {
    const node = this.at(event);
    if (node !== this.hover) {
      this.hover = node;
      this.later();
    }
    this.tip.hidden = node < 0 || event.pointerType === "touch";
    if (this.tip.hidden || !this.model) return;
    placeTip(this.tip, this.box, event, this.name(node), this.words(node));
  }

  private leave(): void {
    this.tip.hidden = true;
    if (this.hover < 0) return;
    this.hover = -1;
    this.later();
  }

  private name(node: number): string {
    return this.frames.names[this.model?.name[node] as number] as string;
  }

  private words(node: number): string {
    return boxWords(this.model as FlameModel, node, this.frames, this.unit);
  }

  private say(node: number): void {
    this.status.replaceChildren(element("code", this.name(node)), ` ${this.words(node)}`);
  }

  private search(): void {
    const words = this.query.value.toLowerCase().trim();
    this.hit = words === "" ? null : Uint8Array.from(this.frames.names, (name) => (name.toLowerCase().includes(words) ? 1 : 0));
    if (!this.hit || !this.model) {
      this.found.textContent = "";
      return;
    }
    const { frames, cost } = matching(this.model, this.hit);
    const part = this.model.sum > 0 ? percent(cost / this.model.sum) : "none";
    this.found.textContent = frames === 0 ? "no frames match" : `${counted(frames, "frame matches", "frames match")}, ${part} of the width`;
  }

  private writeCrumbs(): void {
    const nodes = path(this.model as FlameModel, this.zoom);
    const shown = nodes.slice(-CRUMBS).map((node): Crumb => [this.name(node), () => this.zoomTo(node)]);
    this.crumbs.replaceChildren(...crumbs(shown, nodes.length > CRUMBS, () => this.zoomTo(-1)));
  }

  private writeTable(): void {
    if (!this.table.open || !this.model) return;
    const box = this.table.querySelector(".scroll") as HTMLElement;
    box.replaceChildren(...viewTable(this.model, this.zoom, this.frames, this.unit));
  }
}
