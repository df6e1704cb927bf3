import { all } from "./data";
import { join, keep, type Part } from "./fragment";

/** The tabs over the hotspot tables: one panel is shown, arrow keys change it, the address keeps it. */
export function connectTabs(): void {
  const tabs = all<HTMLButtonElement>(document, "#hotspots [role=tab]");
  const panels = tabs.map((tab) => document.getElementById(tab.getAttribute("aria-controls") ?? ""));
  if (tabs.length === 0) return;
  let shown = 0;
  const choose = (index: number, focus: boolean): void => {
    shown = index;
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
  const picked = (index: number, focus: boolean): void => {
    choose(index, focus);
    keep(panels[index]?.id);
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => picked(index, false));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const edge = { Home: 0, End: tabs.length - 1 }[event.key];
      if (step === undefined && edge === undefined) return;
      event.preventDefault();
      picked(edge ?? (index + (step ?? 0) + tabs.length) % tabs.length, true);
    });
  });
  const part: Part = {
    read: (state, id) => {
      const target = document.getElementById(id);
      const holds = panels.findIndex((panel) => panel !== null && target !== null && panel.contains(target));
      const named = panels.findIndex((panel) => panel?.id === state.get("table"));
      if (holds >= 0 || named >= 0) choose(holds >= 0 ? holds : named, false);
    },
    write: (state) => {
      if (shown > 0) state.set("table", panels[shown]?.id ?? "");
    },
  };
  join(part);
  choose(0, false);
}
