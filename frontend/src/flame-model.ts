import type { FlameData } from "./data";

/** A flame graph in preorder. Node i: `end[i]` is the first node after its subtree, `x[i]` where it starts. */
export interface FlameModel {
  size: number;
  names: string[];
  name: Uint32Array;
  depth: Uint16Array;
  own: Float32Array;
  total: Float64Array;
  x: Float64Array;
  end: Int32Array;
  parent: Int32Array;
  sum: number;
}

function bytes(text: string): ArrayBuffer {
  const binary = atob(text);
  const found = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) found[i] = binary.charCodeAt(i);
  return found.buffer;
}

/** Columns were written little-endian, which is what every machine that runs a browser today is. */
export function buildModel(data: FlameData): FlameModel {
  const own = new Float32Array(bytes(data.own));
  const size = own.length;
  const names = bytes(data.function);
  const depths = bytes(data.depth);
  const name = names.byteLength === size * 4 ? new Uint32Array(names) : Uint32Array.from(new Uint16Array(names));
  const depth = depths.byteLength === size ? Uint16Array.from(new Uint8Array(depths)) : new Uint16Array(depths);
  const total = Float64Array.from(own);
  const end = new Int32Array(size);
  const parent = new Int32Array(size).fill(-1);
  const path: number[] = [];
  for (let node = 0; node < size; node += 1) {
    path.length = depth[node] ?? 0;
    parent[node] = path.length > 0 ? (path[path.length - 1] ?? -1) : -1;
    path.push(node);
  }
  for (let node = size - 1; node >= 0; node -= 1) {
    if ((end[node] as number) === 0) end[node] = node + 1;
    const above = parent[node] as number;
    if (above < 0) continue;
    total[above] = (total[above] as number) + (total[node] as number);
    end[above] = Math.max(end[above] as number, end[node] as number);
  }
  const x = new Float64Array(size);
  let sum = 0;
  const next = new Float64Array(size);
  for (let node = 0; node < size; node += 1) {
    const above = parent[node] as number;
    const start = above < 0 ? sum : (next[above] as number);
    x[node] = start;
    next[node] = start;
    if (above < 0) sum += total[node] as number;
    else next[above] = start + (total[node] as number);
  }
  return { size, names: data.names, name, depth, own, total, x, end, parent, sum };
}

/** What a subtree (or, with -1, the whole graph) costs. */
export function cost(model: FlameModel, node: number): number {
  return node < 0 ? model.sum : (model.total[node] as number);
}

export function children(model: FlameModel, node: number): number[] {
  const found: number[] = [];
  const stop = node < 0 ? model.size : (model.end[node] as number);
  for (let child = node + 1; child < stop; child = model.end[child] as number) found.push(child);
  return found;
}

export function path(model: FlameModel, node: number): number[] {
  const found: number[] = [];
  for (let at = node; at >= 0; at = model.parent[at] as number) found.unshift(at);
  return found;
}

export interface NameCost {
  name: number;
  self: number;
  total: number;
}

/** Self and total per function below `node`; in a total a function counts once per stack, however often it recurs. */
export function byName(model: FlameModel, node: number): NameCost[] {
  const self = new Float64Array(model.names.length);
  const total = new Float64Array(model.names.length);
  const open = new Int32Array(model.names.length);
  const stack: number[] = [];
  const start = Math.max(node, 0);
  const stop = node < 0 ? model.size : (model.end[node] as number);
  for (let at = start; at < stop; at += 1) {
    while (stack.length > 0 && (model.end[stack[stack.length - 1] as number] as number) <= at) {
      const left = model.name[stack.pop() as number] as number;
      open[left] = (open[left] as number) - 1;
    }
    const name = model.name[at] as number;
    self[name] = (self[name] as number) + (model.own[at] as number);
    if ((open[name] as number) === 0) total[name] = (total[name] as number) + (model.total[at] as number);
    open[name] = (open[name] as number) + 1;
    stack.push(at);
  }
  const found: NameCost[] = [];
  total.forEach((value, name) => {
    if (value > 0) found.push({ name, self: self[name] as number, total: value });
  });
  return found.sort((a, b) => b.self - a.self || b.total - a.total);
}

/** Cost of the stacks that hold a matching function, each counted once, and how many frames match. */
export function matching(model: FlameModel, hit: Uint8Array): { frames: number; cost: number } {
  let frames = 0;
  let sum = 0;
  let covered = 0;
  for (let node = 0; node < model.size; node += 1) {
    if (!hit[model.name[node] as number]) continue;
    frames += 1;
    if (node < covered) continue;
    sum += model.total[node] as number;
    covered = model.end[node] as number;
  }
  return { frames, cost: sum };
}
