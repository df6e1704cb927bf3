/** One graph: `columns` is base64 of zlib of own, frame and depth; written by render/page/flame_graph.py `flame_data`. */
export interface GraphData {
  id: string;
  unit: string;
  nodes: number;
  /** Bytes of one frame number and of one depth. */
  width: [number, number];
  columns: string;
}

/** Two graphs of one metric by their place among `graphs`. */
export interface PairData {
  id: string;
  baseline: number;
  contender: number;
}

/** The frames of all graphs of the page, one entry each; a graph names them by number. */
export interface FlameData {
  names: string[];
  kind: number[];
  category: string[];
  hue: number[];
  graphs: GraphData[];
  pairs: PairData[];
}

/** One caller or callee: index of its name, and how often per request as text. */
export type Edge = [number, string];

/** Row id -> per column [callers, callees]. */
export type TableEdges = Record<string, [Edge[], Edge[]][]>;

export interface Edges {
  names: string[];
  tables: Record<string, TableEdges>;
}

export interface ReportData {
  flames: FlameData;
  edges: Edges;
  legend: [number, string][];
}

export function readData(): ReportData {
  const block = document.getElementById("report-data");
  return JSON.parse(block?.textContent ?? "{}") as ReportData;
}

/** Every node that has to be there because the template wrote it. */
export function all<T extends Element>(root: ParentNode, selector: string): T[] {
  return Array.from(root.querySelectorAll<T>(selector));
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text = "",
  className = "",
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}
