import type { ReportData } from "./data";
import { FlameGraph } from "./flame";
import { join } from "./fragment";

/** Starts the section of flame graphs, where the page has one. */
export function connectFlames(data: ReportData): void {
  const box = document.querySelector<HTMLElement>("#flame-box");
  if (!box || data.flames.graphs.length === 0) return;
  const graph = new FlameGraph(box, data);
  join(graph);
  // A graph is unpacked when the reader comes near it: the first screen does not wait for a million boxes.
  new IntersectionObserver((seen, observer) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    void graph.start();
  }, { rootMargin: "100%" }).observe(box);
}
