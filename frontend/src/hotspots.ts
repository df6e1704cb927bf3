import { all, element, type Edge, type Edges, type TableEdges } from "./data";

interface Row {
  row: HTMLTableRowElement;
  values: number[];
  text: string;
  chips: string[];
}

interface Group {
  body: HTMLTableSectionElement;
  head: Row;
  rows: Row[];
  opener: HTMLButtonElement | null;
}

/** Tabs over the tables, and in each table: open, search, filter, sort, flat list, details, callers and callees. */
export function connectHotspots(edges: Edges): void {
  connectTabs();
  for (const panel of all<HTMLElement>(document, "#hotspots .panel")) {
    new Hotspots(panel, edges.tables[panel.id] ?? {}, edges.names);
  }
}

function connectTabs(): void {
  const tabs = all<HTMLButtonElement>(document, "#hotspots [role=tab]");
  const panels = tabs.map((tab) => document.getElementById(tab.getAttribute("aria-controls") ?? ""));
  const choose = (index: number, focus: boolean): void => {
    tabs.forEach((tab, i) => {
      const on = i === index;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      const panel = panels[i];
      if (panel) panel.hidden = !on;
    });
    if (focus) tabs[index]?.focus();
    document.dispatchEvent(new Event("profpipe:changed"));
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => choose(index, false));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      choose((index + step + tabs.length) % tabs.length, true);
    });
  });
  const fromHash = (): void => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const index = panels.findIndex((panel) => panel !== null && target !== null && panel.contains(target));
    if (index >= 0) choose(index, false);
  };
  window.addEventListener("hashchange", fromHash);
  choose(0, false);
  fromHash();
}

function readRow(row: HTMLTableRowElement): Row {
  const head = row.querySelector("th");
  return {
    row,
    values: (row.dataset.v ?? "").trim().split(" ").map(Number),
    text: (head?.textContent ?? "").toLowerCase(),
    chips: all<HTMLElement>(row, ".chip").map((chip) => chip.className),
  };
}

class Hotspots {
  private readonly table: HTMLTableElement;
  private readonly groups: Group[];
  private readonly flatBody = element("tbody");
  private readonly query: HTMLInputElement;
  private readonly only: HTMLSelectElement;
  private readonly mode: HTMLSelectElement;
  private readonly found: HTMLElement;
  private readonly empty: HTMLElement;
  private readonly openAll: HTMLButtonElement;
  private sorted: { column: number; down: boolean } | null = null;

  constructor(
    private readonly panel: HTMLElement,
    private readonly edges: TableEdges,
    private readonly names: string[],
  ) {
    const get = <T extends Element>(selector: string): T => panel.querySelector<T>(selector) as T;
    this.table = get("table.hot");
    this.query = get("input.q");
    this.only = get("select.only");
    this.mode = get("select.mode");
    this.found = get(".found");
    this.empty = get(".empty");
    this.openAll = get("button.all");
    this.groups = Array.from(this.table.tBodies).map((body) => ({
      body,
      head: readRow(body.querySelector("tr.c") as HTMLTableRowElement),
      rows: all<HTMLTableRowElement>(body, "tr.f:not(.more)").map(readRow),
      opener: body.querySelector<HTMLButtonElement>("button.open"),
    }));
    this.flatBody.className = "opened";
    for (const group of this.groups) {
      const label = group.opener?.textContent?.replace(/\d+\s*$/, "").trim() ?? "";
      for (const row of group.rows) row.row.cells[0]?.append(element("span", label, "incat"));
    }
    this.listen();
    for (const group of this.groups) this.open(group, false);
    this.fromHash();
  }

  private listen(): void {
    for (const group of this.groups) {
      group.opener?.addEventListener("click", () => this.open(group, !group.body.classList.contains("opened")));
    }
    all<HTMLButtonElement>(this.table, "button.sort").forEach((button, column) => {
      button.addEventListener("click", () => this.sort(column));
    });
    this.query.addEventListener("input", () => this.filter());
    this.only.addEventListener("change", () => this.filter());
    this.mode.addEventListener("change", () => this.arrange());
    for (const box of all<HTMLInputElement>(this.panel, "input.x")) {
      const apply = (): void => {
        this.table.classList.toggle(`show-${box.value}`, box.checked);
      };
      box.addEventListener("change", apply);
      apply();
    }
    this.openAll.addEventListener("click", () => {
      const open = this.openAll.getAttribute("aria-expanded") !== "true";
      for (const group of this.groups) this.open(group, open);
      this.openAll.setAttribute("aria-expanded", String(open));
      this.openAll.textContent = open ? "Close all" : "Open all";
    });
    this.panel.querySelector(".clear")?.addEventListener("click", () => {
      this.query.value = "";
      this.only.value = "all";
      this.filter();
      this.query.focus();
    });
    for (const button of all<HTMLButtonElement>(this.table, "button.edges")) {
      button.addEventListener("click", () => this.toggleEdges(button));
    }
    window.addEventListener("hashchange", () => this.fromHash());
  }

  private open(group: Group, open: boolean): void {
    group.body.classList.toggle("opened", open);
    group.opener?.setAttribute("aria-expanded", String(open));
  }

  private fromHash(): void {
    const id = decodeURIComponent(location.hash.slice(1));
    if (!id) return;
    const group = this.groups.find((g) => g.body.id === id || g.rows.some((r) => r.row.id === id));
    if (!group) return;
    this.open(group, true);
    document.getElementById(id)?.scrollIntoView({ block: "center" });
  }

  private matches(row: Row, words: string[]): boolean {
    const wanted = this.only.value;
    if (wanted !== "all") {
      const hit = row.chips.some((chip) =>
        wanted === "changed" ? chip.includes("v-worse") || chip.includes("v-better") : chip.includes(`v-${wanted}`),
      );
      if (!hit) return false;
    }
    return words.every((word) => row.text.includes(word));
  }

  private filter(): void {
    const words = this.query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const active = words.length > 0 || this.only.value !== "all";
    let functions = 0;
    let categories = 0;
    for (const group of this.groups) {
      const headHit = this.matches(group.head, words);
      let hits = 0;
      for (const row of group.rows) {
        const hit = !active || this.matches(row, words) || (headHit && this.only.value === "all" && words.length > 0);
        row.row.classList.toggle("miss", !hit);
        if (hit) hits += 1;
      }
      const show = !active || headHit || hits > 0;
      group.body.classList.toggle("miss", !show);
      group.body.querySelector(".more")?.classList.toggle("miss", active);
      if (words.length > 0 && hits > 0) this.open(group, true);
      functions += hits;
      categories += show ? 1 : 0;
    }
    this.found.textContent = active ? `${functions} functions in ${categories} categories` : "";
    this.empty.hidden = !(active && categories === 0);
  }

  private sort(column: number): void {
    const down = this.sorted?.column === column ? !this.sorted.down : true;
    this.sorted = { column, down };
    all<HTMLElement>(this.table, "thead th[aria-sort]").forEach((head, index) => {
      head.setAttribute("aria-sort", index === column ? (down ? "descending" : "ascending") : "none");
    });
    this.arrange();
  }

  /** Puts the rows where mode and sorting want them. Rows are moved, never made again. */
  private arrange(): void {
    for (const edge of all<HTMLElement>(this.table, ".edge-row")) edge.remove();
    for (const button of all<HTMLButtonElement>(this.table, "button.edges")) button.setAttribute("aria-expanded", "false");
    const order = (a: Row, b: Row): number => {
      if (!this.sorted) return 0;
      const { column, down } = this.sorted;
      const difference = (b.values[column] ?? -1) - (a.values[column] ?? -1);
      return down ? difference : -difference;
    };
    const heaviest = (row: Row): number => Math.max(...row.values);
    const flat = this.mode.value === "flat";
    this.table.classList.toggle("flat", flat);
    const groups = [...this.groups].sort((a, b) => order(a.head, b.head));
    for (const group of groups) {
      const more = group.body.querySelector(".more");
      for (const row of [...group.rows].sort(order)) group.body.insertBefore(row.row, more);
      this.table.append(group.body);
    }
    if (flat) {
      const ranked = this.panel.dataset.ranked === "yes";
      const rows = this.groups.flatMap((group) => group.rows);
      rows.sort(this.sorted ? order : ranked ? (a, b) => heaviest(b) - heaviest(a) : () => 0);
      for (const row of rows) this.flatBody.append(row.row);
      this.table.append(this.flatBody);
    } else {
      this.flatBody.remove();
    }
    document.dispatchEvent(new Event("profpipe:changed"));
  }

  private toggleEdges(button: HTMLButtonElement): void {
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
    const labels = all<HTMLElement>(this.table, "thead th .sort, thead th .plainhead").map((n) => n.textContent ?? "");
    (this.edges[row.id] ?? []).forEach(([callers, callees], index) => {
      if (callers.length + callees.length === 0) return;
      const box = element("div");
      box.append(element("p", labels[index] ?? "", "edge-of"));
      box.append(this.list("called by", callers), this.list("calls", callees));
      grid.append(box);
    });
    cell.append(grid);
    made.append(cell);
    row.after(made);
  }

  private list(title: string, edges: Edge[]): HTMLElement {
    const box = element("div");
    box.append(element("span", edges.length > 0 ? `${title}, times per request` : `${title}: not known`, "soft"));
    const rows = element("ul");
    for (const [name, calls] of edges) {
      const item = element("li");
      item.append(element("code", this.names[name]), element("span", calls, "n"));
      rows.append(item);
    }
    box.append(rows);
    return box;
  }
}
