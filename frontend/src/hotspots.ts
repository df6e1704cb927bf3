import { all, element, type Edges, type TableEdges } from "./data";
import { toggleEdges } from "./edges";
import { join, keep, type Part } from "./fragment";
import { counted } from "./numbers";
import { connectTabs } from "./tabs";

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
    join(new Hotspots(panel, edges.tables[panel.id] ?? {}, edges.names));
  }
}

/** Only what the list offers, for anybody can write an address. */
function choose(list: HTMLSelectElement, value: string): void {
  if (value && Array.from(list.options).some((option) => option.value === value)) list.value = value;
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

class Hotspots implements Part {
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
  }

  private listen(): void {
    for (const group of this.groups) {
      group.opener?.addEventListener("click", () => {
        this.open(group, !group.body.classList.contains("opened"));
        keep();
      });
    }
    all<HTMLButtonElement>(this.table, "button.sort").forEach((button, column) => {
      button.addEventListener("click", () => {
        this.sort(column, this.sorted?.column === column ? !this.sorted.down : true);
        keep();
      });
    });
    const filtered = (): void => {
      this.filter();
      keep();
    };
    this.query.addEventListener("input", filtered);
    this.only.addEventListener("change", filtered);
    this.mode.addEventListener("change", () => {
      this.arrange();
      keep();
    });
    for (const box of all<HTMLInputElement>(this.panel, "input.x")) {
      box.addEventListener("change", () => {
        this.detail(box);
        keep();
      });
      this.detail(box);
    }
    this.openAll.addEventListener("click", () => {
      const open = this.openAll.getAttribute("aria-expanded") !== "true";
      for (const group of this.groups) this.open(group, open);
      keep();
    });
    this.panel.querySelector(".clear")?.addEventListener("click", () => {
      this.query.value = "";
      this.only.value = "all";
      filtered();
      this.query.focus();
    });
    for (const button of all<HTMLButtonElement>(this.table, "button.edges")) {
      button.addEventListener("click", () => toggleEdges(button, this.table, this.edges, this.names));
    }
  }

  private detail(box: HTMLInputElement): void {
    this.table.classList.toggle(`show-${box.value}`, box.checked);
  }

  private open(group: Group, open: boolean): void {
    group.body.classList.toggle("opened", open);
    group.opener?.setAttribute("aria-expanded", String(open));
    const whole = this.groups.every((one) => one.opener === null || one.body.classList.contains("opened"));
    this.openAll.setAttribute("aria-expanded", String(whole));
    this.openAll.textContent = whole ? "Close all" : "Open all";
  }

  /** State of one table, each key with the table's id before it: `hot-perf-cpu_ns.sort=2-down`. */
  write(state: URLSearchParams): void {
    const put = (key: string, value: string): void => {
      if (value) state.set(`${this.panel.id}.${key}`, value);
    };
    put("sort", this.sorted ? `${this.sorted.column}-${this.sorted.down ? "down" : "up"}` : "");
    put("find", this.query.value);
    put("only", this.only.value === "all" ? "" : this.only.value);
    put("as", this.mode.value === "tree" ? "" : this.mode.value);
    put("with", this.details().filter((box) => box.checked).map((box) => box.value).join("."));
    const open = this.groups.flatMap((group, place) => (group.body.classList.contains("opened") ? [place] : []));
    put("open", open.length === this.groups.length ? "all" : open.join("."));
  }

  read(state: URLSearchParams, id: string): void {
    const get = (key: string): string => state.get(`${this.panel.id}.${key}`) ?? "";
    const [column, way] = get("sort").split("-");
    if (way) this.sort(Number(column), way === "down");
    choose(this.only, get("only"));
    choose(this.mode, get("as"));
    this.query.value = get("find") || this.query.value;
    for (const box of this.details()) {
      box.checked ||= get("with").split(".").includes(box.value);
      this.detail(box);
    }
    const open = get("open");
    this.groups.forEach((group, place) => {
      if (open === "all" || open.split(".").includes(String(place))) this.open(group, true);
    });
    if (get("as")) this.arrange();
    if (get("find") || get("only")) this.filter();
    const group = this.groups.find((g) => g.body.id === id || g.rows.some((r) => r.row.id === id));
    if (!group) return;
    this.open(group, true);
    document.getElementById(id)?.scrollIntoView({ block: "center", behavior: "instant" });
  }

  private details(): HTMLInputElement[] {
    return all<HTMLInputElement>(this.panel, "input.x");
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
    this.found.textContent = active ? `${counted(functions, "function", "functions")} in ${counted(categories, "category", "categories")}` : "";
    this.empty.hidden = !(active && categories === 0);
  }

  private sort(column: number, down: boolean): void {
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
}
