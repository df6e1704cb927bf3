import { boxOf, type View } from "./flame-draw";
import { widestChild, type FlameModel } from "./flame-model";

/** What a key asks for: a node to move to, a node to zoom to (-1 = all), the next match, or nothing. */
export type Asked = { cursor: number } | { zoom: number } | { match: true } | null;

/** Arrows move between the boxes drawn, Enter zooms in, Escape zooms out by one level, Home all the way. */
export function ask(key: string, model: FlameModel, view: View, cursor: number, zoom: number): Asked {
  const parent = (node: number): number => model.parent[node] as number;
  const sibling = (step: number): Asked => {
    if (cursor < 0) return null;
    const row = view.rows[model.depth[cursor] as number] ?? [];
    const drawn = row.filter((box) => parent(box.node) === parent(cursor));
    const place = drawn.findIndex((box) => box.node === cursor);
    const next = place < 0 ? undefined : drawn[place + step];
    return next ? { cursor: next.node } : null;
  };
  switch (key) {
    case "ArrowDown": {
      const next = widestChild(model, cursor);
      return next === undefined ? null : { cursor: next };
    }
    case "ArrowUp":
      return cursor >= 0 && parent(cursor) >= 0 ? { cursor: parent(cursor) } : null;
    case "ArrowLeft":
      return sibling(-1);
    case "ArrowRight":
      return sibling(1);
    case "Enter":
    case " ":
      return cursor < 0 ? null : { zoom: cursor };
    case "Escape":
      return zoom < 0 ? null : { zoom: parent(zoom) };
    case "Home":
      return { zoom: -1 };
    case "n":
      return { match: true };
    default:
      return null;
  }
}

export function isDrawn(view: View, model: FlameModel, node: number): boolean {
  return boxOf(view, model, node) !== undefined;
}
