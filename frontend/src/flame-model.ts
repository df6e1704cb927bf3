import type { GraphData } from "./data";

/** The profile in preorder: self value, frame and level of every node. */
export interface Columns {
  own: Float32Array | Float64Array;
  name: Uint32Array;
  depth: Uint32Array;
}

/** A flame graph in preorder. Node i: `end[i]` is the first node after its subtree, `x[i]` where it starts. */
export interface FlameModel extends Columns {
  size: number;
  total: Float64Array;
  x: Float64Array;
  end: Int32Array;
  parent: Int32Array;
  sum: number;
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const found = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) found[i] = binary.charCodeAt(i);
  return found;
}

function widened(part: ArrayBuffer, width: number): Uint32Array {
  if (width === 4) return new Uint32Array(part);
  return Uint32Array.from(width === 2 ? new Uint16Array(part) : new Uint8Array(part));
}

/** Written to and read from directly: a Blob or a Response would take its bytes through another process first. */
async function inflated(packed: Uint8Array<ArrayBuffer>, size: number): Promise<ArrayBuffer> {
  const stream = new DecompressionStream("deflate");
  const writer = stream.writable.getWriter();
  const written = Promise.all([writer.write(packed), writer.close()]);
  const reader = stream.readable.getReader();
  const found = new Uint8Array(size);
  for (let at = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    found.set(value, at);
    at += value.length;
  }
  await written;
  return found.buffer;
}

/** Columns were written little-endian, which is what every machine that runs a browser today is. */
export async function readColumns(data: GraphData): Promise<Columns> {
  const [frame, level] = data.width;
  const names = data.nodes * 4;
  const depths = names + data.nodes * frame;
  const buffer = await inflated(bytes(data.columns), depths + data.nodes * level);
  return {
    own: new Float32Array(buffer.slice(0, names)),
    name: widened(buffer.slice(names, depths), frame),
    depth: widened(buffer.slice(depths, depths + data.nodes * level), level),
  };
}

export function parents(depth: Uint32Array): Int32Array {
  const found = new Int32Array(depth.length);
  const open: number[] = [];
  for (let node = 0; node < depth.length; node += 1) {
    const level = depth[node] as number;
    found[node] = level > 0 ? (open[level - 1] as number) : -1;
    open[level] = node;
  }
  return found;
}

/** Self plus everything below, for nodes in preorder. */
export function subtotals(own: Float32Array | Float64Array, parent: Int32Array): Float64Array {
  const total = Float64Array.from(own);
  for (let node = own.length - 1; node >= 0; node -= 1) {
    const above = parent[node] as number;
    if (above >= 0) total[above] = (total[above] as number) + (total[node] as number);
  }
  return total;
}

export function buildModel(columns: Columns): FlameModel {
  const { own, depth } = columns;
  const size = own.length;
  const parent = parents(depth);
  const total = subtotals(own, parent);
  const end = new Int32Array(size);
  for (let node = size - 1; node >= 0; node -= 1) {
    if (end[node] === 0) end[node] = node + 1;
    const above = parent[node] as number;
    if (above >= 0 && (end[above] as number) < (end[node] as number)) end[above] = end[node] as number;
  }
  const x = new Float64Array(size);
  const next = new Float64Array(size);
  let sum = 0;
  for (let node = 0; node < size; node += 1) {
    const above = parent[node] as number;
    const start = above < 0 ? sum : (next[above] as number);
    x[node] = start;
    next[node] = start;
    if (above < 0) sum += total[node] as number;
    else next[above] = start + (total[node] as number);
  }
  return { ...columns, size, total, x, end, parent, sum };
}

/** Width of a subtree, or of the whole graph with -1. */
export function cost(model: FlameModel, node: number): number {
  return node < 0 ? model.sum : (model.total[node] as number);
}

/** The widest child of a node, or of the whole graph with -1; nothing for a leaf. */
export function widestChild(model: FlameModel, node: number): number | undefined {
  let found: number | undefined;
  const stop = node < 0 ? model.size : (model.end[node] as number);
  for (let child = node + 1; child < stop; child = model.end[child] as number) {
    if (found === undefined || (model.total[child] as number) > (model.total[found] as number)) found = child;
  }
  return found;
}

/** From the outermost caller down to the node itself. */
export function path(model: FlameModel, node: number): number[] {
  const found: number[] = [];
  for (let at = node; at >= 0; at = model.parent[at] as number) found.push(at);
  return found.reverse();
}

export interface ByName {
  self: Float64Array;
  total: Float64Array;
}

/** Self and total per frame below `node`; in a total a frame counts once per stack, however often it recurs. */
export function byName(
  model: FlameModel,
  node: number,
  frames: number,
  own: Float32Array | Float64Array = model.own,
  totals: Float64Array = model.total,
): ByName {
  const self = new Float64Array(frames);
  const total = new Float64Array(frames);
  const open = new Int32Array(frames);
  const stack: number[] = [];
  const stop = node < 0 ? model.size : (model.end[node] as number);
  for (let at = Math.max(node, 0); at < stop; at += 1) {
    while (stack.length > 0 && (model.end[stack[stack.length - 1] as number] as number) <= at) {
      const left = model.name[stack.pop() as number] as number;
      open[left] = (open[left] as number) - 1;
    }
    const name = model.name[at] as number;
    self[name] = (self[name] as number) + (own[at] as number);
    if (open[name] === 0) total[name] = (total[name] as number) + (totals[at] as number);
    open[name] = (open[name] as number) + 1;
    stack.push(at);
  }
  return { self, total };
}

/** Cost of the stacks that hold a matching frame, each counted once, and how many frames match. */
export function matching(model: FlameModel, hit: Uint8Array): { frames: number; cost: number } {
  let frames = 0;
  let sum = 0;
  let covered = 0;
  for (let node = 0; node < model.size; node += 1) {
    if (hit[model.name[node] as number] === 0) continue;
    frames += 1;
    if (node < covered) continue;
    sum += model.total[node] as number;
    covered = model.end[node] as number;
  }
  return { frames, cost: sum };
}

/** The next matching node after `from` in preorder, from the start again at the end; -1 when there is none. */
export function nextMatch(model: FlameModel, hit: Uint8Array, from: number): number {
  for (let step = 1; step <= model.size; step += 1) {
    const node = (from + step) % model.size;
    if (hit[model.name[node] as number] === 1) return node;
  }
  return -1;
}
