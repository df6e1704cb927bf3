import { all, element, type Edge, type TableEdges } from "./data";

/** Callers and callees of one row, in a row below it; a second click removes them. */
export function toggleEdges(button: HTMLButtonElement, table: HTMLTableElement, edges: TableEdges, names: string[]): void {
  const row = button.closest("tr") as HTMLTableRowElement;
  const next = row.nextElementSibling;
  if (next?.classList.contains("edge-row")) {
    next.remove();
    button.setAttribute("aria-expanded", "false");
    return;
  }
  button.setAttribute("aria-expanded", "true");
  const made = element("tr", "", "f edge-row");
  const cell = element("td");
  cell.colSpan = row.cells.length;
  const grid = element("div", "", "edge-grid");
  const labels = all<HTMLElement>(table, "thead th .sort, thead th .plainhead").map((n) => n.textContent ?? "");
  (edges[row.id] ?? []).forEach(([callers, callees], index) => {
    if (callers.length + callees.length === 0) return;
    const box = element("div");
    box.append(element("p", labels[index] ?? "", "edge-of"));
    box.append(list("called by", callers, names), list("calls", callees, names));
    grid.append(box);
  });
  cell.append(grid);
  made.append(cell);
  row.after(made);
}

function list(title: string, edges: Edge[], names: string[]): HTMLElement {
  const box = element("div");
  box.append(element("span", edges.length > 0 ? `${title}, times per request` : `${title}: unknown`, "soft"));
  const rows = element("ul");
  for (const [name, calls] of edges) {
    const item = element("li");
    item.append(element("code", names[name]), element("span", calls, "n"));
    rows.append(item);
  }
  box.append(rows);
  return box;
}
