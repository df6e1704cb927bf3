import { buildModel, subtotals, type Columns, type FlameModel } from "./flame-model";

/**
 * Two graphs laid over each other by stack of frames. `own` is |contender - baseline| of a node's self value, so a box
 * is as wide as all increases plus all decreases in it: what cancels stays visible.
 */
export interface DiffModel extends FlameModel {
  before: Float64Array;
  after: Float64Array;
  beforeTotal: Float64Array;
  afterTotal: Float64Array;
  /** How many nodes of the baseline and of the contender are merged here: 0 on one side is a new or vanished frame. */
  beforeNodes: Int32Array;
  afterNodes: Int32Array;
  beforeSum: number;
  afterSum: number;
}

/** A tree that grows by (parent, frame): open addressing over typed arrays, no object per node. */
class Merged {
  readonly parent: Int32Array;
  readonly name: Int32Array;
  readonly values: [Float64Array, Float64Array];
  readonly nodes: [Int32Array, Int32Array];
  private readonly slots: Int32Array;
  size = 0;

  constructor(most: number) {
    let slots = 16;
    while (slots < most * 2) slots *= 2;
    this.slots = new Int32Array(slots).fill(-1);
    this.parent = new Int32Array(most);
    this.name = new Int32Array(most);
    this.values = [new Float64Array(most), new Float64Array(most)];
    this.nodes = [new Int32Array(most), new Int32Array(most)];
  }

  child(parent: number, name: number): number {
    const mask = this.slots.length - 1;
    let slot = (Math.imul(parent + 1, 0x9e3779b1) ^ Math.imul(name + 1, 0x85ebca6b)) >>> 0;
    for (slot = (slot ^ (slot >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const found = this.slots[slot] as number;
      if (found < 0) break;
      if (this.parent[found] === parent && this.name[found] === name) return found;
    }
    const made = this.size;
    this.slots[slot] = made;
    this.parent[made] = parent;
    this.name[made] = name;
    this.size += 1;
    return made;
  }

  add(graph: Columns, side: 0 | 1): void {
    const open: number[] = [];
    const values = this.values[side];
    const nodes = this.nodes[side];
    for (let node = 0; node < graph.own.length; node += 1) {
      const level = graph.depth[node] as number;
      const at = this.child(level > 0 ? (open[level - 1] as number) : -1, graph.name[node] as number);
      open[level] = at;
      values[at] = (values[at] as number) + (graph.own[node] as number);
      nodes[at] = (nodes[at] as number) + 1;
    }
  }
}

/** Places in order of `key`, equal keys in the order of `items`. */
function counted(items: Int32Array, key: (item: number) => number, keys: number): Int32Array {
  const starts = new Int32Array(keys + 1);
  for (const item of items) starts[key(item) + 1] = (starts[key(item) + 1] as number) + 1;
  for (let i = 0; i < keys; i += 1) starts[i + 1] = (starts[i + 1] as number) + (starts[i] as number);
  const found = new Int32Array(items.length);
  for (const item of items) {
    const place = starts[key(item)] as number;
    found[place] = item;
    starts[key(item)] = place + 1;
  }
  return found;
}

/** The merged nodes in preorder, children by frame number, which is by name. */
function preorder(tree: Merged, frames: number): { order: Int32Array; depth: Uint32Array } {
  const every = Int32Array.from({ length: tree.size }, (_, i) => i);
  const byFrame = counted(every, (node) => tree.name[node] as number, frames);
  const byParent = counted(byFrame, (node) => (tree.parent[node] as number) + 1, tree.size + 1);
  const first = new Int32Array(tree.size + 2);
  for (const node of byParent) {
    const next = (tree.parent[node] as number) + 2;
    first[next] = (first[next] as number) + 1;
  }
  for (let i = 1; i < first.length; i += 1) first[i] = (first[i] as number) + (first[i - 1] as number);
  const order = new Int32Array(tree.size);
  const depth = new Uint32Array(tree.size);
  const level = new Uint32Array(tree.size);
  const open: number[] = [];
  const push = (parent: number): void => {
    for (let i = (first[parent + 2] as number) - 1; i >= (first[parent + 1] as number); i -= 1) {
      const child = byParent[i] as number;
      level[child] = parent < 0 ? 0 : (level[parent] as number) + 1;
      open.push(child);
    }
  };
  push(-1);
  for (let place = 0; open.length > 0; place += 1) {
    const node = open.pop() as number;
    order[place] = node;
    depth[place] = level[node] as number;
    push(node);
  }
  return { order, depth };
}

/** `frames` = how many frames the page has. */
export function differ(baseline: Columns, contender: Columns, frames: number): DiffModel {
  const tree = new Merged(baseline.own.length + contender.own.length);
  tree.add(baseline, 0);
  tree.add(contender, 1);
  const { order, depth } = preorder(tree, frames);
  const before = Float64Array.from(order, (node) => tree.values[0][node] as number);
  const after = Float64Array.from(order, (node) => tree.values[1][node] as number);
  const model = buildModel({
    own: before.map((value, i) => Math.abs((after[i] as number) - value)),
    name: Uint32Array.from(order, (node) => tree.name[node] as number),
    depth,
  });
  return {
    ...model,
    before,
    after,
    beforeTotal: subtotals(before, model.parent),
    afterTotal: subtotals(after, model.parent),
    beforeNodes: Int32Array.from(order, (node) => tree.nodes[0][node] as number),
    afterNodes: Int32Array.from(order, (node) => tree.nodes[1][node] as number),
    beforeSum: before.reduce((sum, value) => sum + value, 0),
    afterSum: after.reduce((sum, value) => sum + value, 0),
  };
}

export function isDiff(model: FlameModel): model is DiffModel {
  return "beforeTotal" in model;
}

/** Contender minus baseline of a subtree, or of the whole graph with -1. */
export function net(model: DiffModel, node: number): number {
  if (node < 0) return model.afterSum - model.beforeSum;
  return (model.afterTotal[node] as number) - (model.beforeTotal[node] as number);
}

export type Side = "both" | "new" | "vanished";

export function side(model: DiffModel, node: number): Side {
  if (model.beforeNodes[node] === 0) return "new";
  return model.afterNodes[node] === 0 ? "vanished" : "both";
}
