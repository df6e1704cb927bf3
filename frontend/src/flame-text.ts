import { element, type FlameData } from "./data";
import { isDiff, net, side, type DiffModel } from "./flame-diff";
import { byName, type FlameModel } from "./flame-model";
import { amount, percent, signed } from "./numbers";

/** The words about a flame graph: what a box says, the legend, and the table that holds the same view. */
export const TABLE_ROWS = 60;

const ONLY = { both: "", new: "only in the contender", vanished: "only in the baseline" };

export function boxWords(model: FlameModel, node: number, frames: FlameData, unit: string): string {
  const category = frames.category[model.name[node] as number];
  const end = category ? `; ${category}` : "";
  const total = model.total[node] as number;
  const self = model.own[node] as number;
  if (!isDiff(model)) {
    return (
      `total ${amount(total, unit)} (${percent(total / model.sum)}), self ${amount(self, unit)} ` +
      `(${percent(self / model.sum)}) per request${end}`
    );
  }
  const before = model.beforeTotal[node] as number;
  const after = model.afterTotal[node] as number;
  const change = net(model, node);
  const only = ONLY[side(model, node)];
  const apart = (model.after[node] as number) - (model.before[node] as number);
  return (
    `total ${signed(change, unit)} per request (${amount(before, unit)} to ${amount(after, unit)}): ` +
    `${amount((total + change) / 2, unit)} more and ${amount((total - change) / 2, unit)} less below and in it; ` +
    `self ${signed(apart, unit)}${only ? `; ${only}` : ""}${end}`
  );
}

export function graphWords(label: string, model: FlameModel, unit: string): string {
  if (!isDiff(model)) return `${label}: ${amount(model.sum, unit)} per request in the whole graph.`;
  if (model.sum === 0) return `${label}: no frame differs.`;
  const change = net(model, -1);
  return (
    `${label}: ${signed(change, unit)} per request (${amount(model.beforeSum, unit)} to ` +
    `${amount(model.afterSum, unit)}), from ${amount((model.sum + change) / 2, unit)} more and ` +
    `${amount((model.sum - change) / 2, unit)} less.`
  );
}

function legendItem(css: string, text: string): HTMLElement {
  const item = element("li");
  item.append(element("span", "", `cat ${css}`), text);
  return item;
}

export function legend(model: FlameModel, frames: FlameData, hues: [number, string][]): HTMLElement[] {
  if (isDiff(model)) {
    return [
      legendItem("more1", "+ net increase, to scale"),
      legendItem("more0", "+ increase offset by a decrease in the same box"),
      legendItem("less1", "− net decrease, to scale"),
      legendItem("less0", "− decrease offset by an increase in the same box"),
      legendItem("new", "new: only in the contender"),
      legendItem("vanished", "vanished: only in the baseline"),
    ];
  }
  const used = new Set<number>();
  const others = new Set<number>();
  for (const name of new Set(model.name)) {
    const hue = frames.hue[name] ?? -1;
    if (hue > 0) used.add(hue);
    else others.add(frames.kind[name] as number);
  }
  const items = hues.filter(([hue]) => used.has(hue)).map(([hue, text]) => legendItem(`k${hue}`, text));
  if (others.has(0)) items.push(legendItem("py", "other Python"));
  if (others.size > (others.has(0) ? 1 : 0)) items.push(legendItem("na", "other native, kernel"));
  return items;
}

interface Line {
  name: number;
  cells: string[];
  rank: [number, number];
}

function plainLines(model: FlameModel, node: number, frames: FlameData, unit: string): Line[] {
  const { self, total } = byName(model, node, frames.names.length);
  const lines: Line[] = [];
  total.forEach((all, name) => {
    const own = self[name] as number;
    if (all <= 0) return;
    const cells = [amount(own, unit), percent(own / model.sum), amount(all, unit), percent(all / model.sum)];
    lines.push({ name, cells, rank: [own, all] });
  });
  return lines;
}

function diffLines(model: DiffModel, node: number, frames: FlameData, unit: string): Line[] {
  const many = frames.names.length;
  const before = byName(model, node, many, model.before, model.beforeTotal);
  const after = byName(model, node, many, model.after, model.afterTotal);
  const lines: Line[] = [];
  for (let name = 0; name < many; name += 1) {
    const own = (after.self[name] as number) - (before.self[name] as number);
    const all = (after.total[name] as number) - (before.total[name] as number);
    const [was, is] = [before.total[name] as number, after.total[name] as number];
    if (was <= 0 && is <= 0) continue;
    const cells = [
      amount(before.self[name] as number, unit),
      amount(after.self[name] as number, unit),
      signed(own, unit),
      signed(all, unit),
      was <= 0 ? ONLY.new : is <= 0 ? ONLY.vanished : "both",
    ];
    lines.push({ name, cells, rank: [Math.abs(own), Math.abs(all)] });
  }
  return lines;
}

/** The accessible form of a view: its functions, the most expensive or the most changed first. */
export function viewTable(model: FlameModel, node: number, frames: FlameData, unit: string): HTMLElement[] {
  const diff = isDiff(model);
  const lines = diff ? diffLines(model, node, frames, unit) : plainLines(model, node, frames, unit);
  lines.sort((a, b) => b.rank[0] - a.rank[0] || b.rank[1] - a.rank[1]);
  const heads = diff
    ? ["function", "category", "self, baseline", "self, contender", "self, difference", "total, difference", "found in"]
    : ["function", "category", "self", "share", "total", "share"];
  const table = element("table", "", "plain");
  const head = element("tr");
  for (const title of heads) {
    const cell = element("th", title);
    cell.scope = "col";
    head.append(cell);
  }
  const body = element("tbody");
  for (const { name, cells } of lines.slice(0, TABLE_ROWS)) {
    const row = element("tr");
    const first = element("th");
    first.scope = "row";
    first.append(element("code", frames.names[name] as string));
    row.append(first, element("td", frames.category[name] || "–"));
    for (const text of cells) row.append(element("td", text, "n"));
    body.append(row);
  }
  const top = element("thead");
  top.append(head);
  table.append(top, body);
  const rest = lines.length - TABLE_ROWS;
  return rest > 0 ? [table, element("p", `${rest} more functions, each smaller, are not listed`, "soft")] : [table];
}
