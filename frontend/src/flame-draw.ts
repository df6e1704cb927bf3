import type { FlameData } from "./data";
import { isDiff, net, side, type DiffModel } from "./flame-diff";
import { cost, path, type FlameModel } from "./flame-model";

export const ROW = 20;
/** A box narrower than this is drawn as dust with its neighbours; zooming in shows it. Nothing is left out of the data. */
const NARROWEST = 0.5;

export interface Box {
  node: number;
  left: number;
  width: number;
}

/** Boxes of one view, row by row; `dust` = spans of boxes too narrow to draw, `narrow` = how many nodes those hold. */
export interface View {
  rows: Box[][];
  dust: Box[][];
  narrow: number;
}

export function layout(model: FlameModel, zoom: number, width: number): View {
  const shown = cost(model, zoom);
  const scale = shown > 0 ? width / shown : 0;
  const from = zoom < 0 ? 0 : (model.x[zoom] as number);
  const rows: Box[][] = path(model, zoom).map((node) => [{ node, left: 0, width }]);
  const dust: Box[][] = [];
  const stop = zoom < 0 ? model.size : (model.end[zoom] as number);
  let narrow = 0;
  let node = zoom + 1;
  while (node < stop) {
    const row = model.depth[node] as number;
    const left = ((model.x[node] as number) - from) * scale;
    const wide = (model.total[node] as number) * scale;
    if (wide >= NARROWEST) {
      (rows[row] ??= []).push({ node, left, width: wide });
      node += 1;
      continue;
    }
    const next = model.end[node] as number;
    narrow += next - node;
    const spans = (dust[row] ??= []);
    const last = spans[spans.length - 1];
    if (last && left - (last.left + last.width) < 1) last.width = left + wide - last.left;
    else if (wide > 0) spans.push({ node: -1, left, width: wide });
    node = next;
  }
  return { rows, dust, narrow };
}

export interface Colours {
  category: string[];
  python: string[];
  native: string[];
  more: [string, string];
  less: [string, string];
  even: string;
  ink: string;
  mark: string;
  focus: string;
  line: string;
  dust: string;
  font: string;
}

export function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string): string => style.getPropertyValue(name).trim();
  return {
    category: Array.from({ length: 11 }, (_, i) => get(`--k${i}`)),
    python: [0, 1, 2].map((i) => get(`--py${i}`)),
    native: [0, 1, 2].map((i) => get(`--na${i}`)),
    more: [get("--more0"), get("--more1")],
    less: [get("--less0"), get("--less1")],
    even: get("--k0"),
    ink: get("--flame-ink"),
    mark: get("--flame-mark"),
    focus: get("--link"),
    line: get("--soft"),
    dust: get("--line2"),
    font: `12px ${get("--mono")}`,
  };
}

/** What is drawn now: `top` = pixels scrolled away above, `hit` = frames that are searched for. */
export interface Scene {
  model: FlameModel;
  view: View;
  zoom: number;
  hit: Uint8Array | null;
  hover: number;
  cursor: number;
  width: number;
  height: number;
  top: number;
}

export class Painter {
  colours = readColours();
  private letter = 7;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly frames: FlameData,
  ) {}

  draw(scene: Scene): void {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(scene.width * ratio);
    this.canvas.height = Math.round(scene.height * ratio);
    this.canvas.style.height = `${scene.height}px`;
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, -scene.top * ratio);
    pen.font = this.colours.font;
    pen.textBaseline = "middle";
    this.letter = pen.measureText("0").width;
    const first = Math.floor(scene.top / ROW);
    const last = Math.min(Math.ceil((scene.top + scene.height) / ROW), Math.max(scene.view.rows.length, scene.view.dust.length));
    const above = scene.zoom < 0 ? 0 : (scene.model.depth[scene.zoom] as number);
    for (let row = first; row < last; row += 1) {
      pen.fillStyle = this.colours.dust;
      for (const box of scene.view.dust[row] ?? []) pen.fillRect(box.left, row * ROW, Math.max(box.width, NARROWEST), ROW - 1);
      for (const box of scene.view.rows[row] ?? []) this.box(pen, scene, box, row * ROW, row < above);
    }
    for (const node of [scene.hover, scene.cursor]) this.outline(pen, scene, node, node === scene.cursor);
  }

  private box(pen: CanvasRenderingContext2D, scene: Scene, box: Box, top: number, dim: boolean): void {
    const { model, hit } = scene;
    const name = model.name[box.node] as number;
    const width = box.width - (box.width > 3 ? 1 : 0);
    const marked = hit?.[name] === 1;
    pen.globalAlpha = dim ? 0.55 : hit && !marked ? 0.45 : 1;
    let text = this.frames.names[name] as string;
    if (isDiff(model)) {
      this.change(pen, model, box, width, top, marked);
      text = sign(model, box.node) + text;
    } else {
      pen.fillStyle = marked ? this.colours.mark : this.fill(name);
      pen.fillRect(box.left, top, width, ROW - 1);
    }
    const room = Math.floor((box.width - 8) / this.letter);
    pen.globalAlpha = 1;
    if (room < 3) return;
    pen.fillStyle = this.colours.ink;
    pen.fillText(text.length <= room ? text : `${text.slice(0, room - 1)}…`, box.left + 4, top + ROW / 2);
  }

  /** Pale over the whole box, strong as wide as the net change: where half the box is strong, half of its increase was offset. */
  private change(pen: CanvasRenderingContext2D, model: DiffModel, box: Box, width: number, top: number, marked: boolean): void {
    const change = net(model, box.node);
    const part = Math.min(Math.abs(change) / (model.total[box.node] as number), 1);
    const [pale, strong] = change > 0 ? this.colours.more : this.colours.less;
    pen.fillStyle = marked ? this.colours.mark : part < 1e-6 ? this.colours.even : pale;
    pen.fillRect(box.left, top, width, ROW - 1);
    if (part >= 1e-6) {
      pen.fillStyle = strong;
      pen.fillRect(box.left, top + (marked ? ROW - 6 : 0), width * part, marked ? 5 : ROW - 1);
    }
    const only = side(model, box.node);
    if (only === "both" || width < 4) return;
    // All below a new frame is new: it has the strong outline, theirs are faint.
    const parent = model.parent[box.node] as number;
    if (parent >= 0 && side(model, parent) === only) pen.globalAlpha *= 0.3;
    pen.lineWidth = 1.5;
    pen.strokeStyle = this.colours.ink;
    pen.setLineDash(only === "new" ? [] : [3, 3]);
    pen.strokeRect(box.left + 0.75, top + 0.75, width - 1.5, ROW - 2.5);
    pen.setLineDash([]);
  }

  private fill(name: number): string {
    const hue = this.frames.hue[name] ?? -1;
    if (hue > 0) return this.colours.category[hue] as string;
    const tints = this.frames.kind[name] === 0 ? this.colours.python : this.colours.native;
    return tints[name % tints.length] as string;
  }

  private outline(pen: CanvasRenderingContext2D, scene: Scene, node: number, focus: boolean): void {
    const box = node < 0 ? undefined : boxOf(scene.view, scene.model, node);
    if (!box) return;
    pen.lineWidth = focus ? 2.5 : 1.5;
    pen.strokeStyle = focus ? this.colours.focus : this.colours.line;
    const top = (scene.model.depth[node] as number) * ROW;
    pen.strokeRect(box.left + 1, top + 1, Math.max(box.width - 3, 1), ROW - 3);
  }
}

/** Colour is never the only sign of a direction. */
function sign(model: DiffModel, node: number): string {
  const change = net(model, node);
  return change > 0 ? "+ " : change < 0 ? "− " : "= ";
}

/** The boxes of a row are from left to right, in the order of their nodes. */
export function boxOf(view: View, model: FlameModel, node: number): Box | undefined {
  const row = view.rows[model.depth[node] as number] ?? [];
  let low = 0;
  let high = row.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((row[middle] as Box).node < node) low = middle + 1;
    else high = middle;
  }
  return row[low]?.node === node ? row[low] : undefined;
}
