import { all } from "./data";
import { join } from "./fragment";

/** What concerns the page as a whole: tables that fit get a sticky head, the header marks the section in view. */
export function connectPage(): void {
  const boxes = all<HTMLElement>(document, ".scroll.wide");
  const fit = (): void => {
    // All is measured before anything is written: each write would lay the page out again for the next measure.
    const fits = boxes.map((box) => box.scrollWidth <= box.clientWidth);
    boxes.forEach((box, place) => {
      if (box.classList.contains("fits") === fits[place]) return;
      box.classList.toggle("fits", fits[place]);
      box.tabIndex = fits[place] ? -1 : 0;
    });
  };
  new ResizeObserver(fit).observe(document.body);
  document.addEventListener("profpipe:changed", fit);

  const links = new Map(all<HTMLAnchorElement>(document, ".bar nav a").map((a) => [a.hash.slice(1), a]));
  const mark = (): void => {
    let current = "";
    for (const id of links.keys()) {
      const section = document.getElementById(id);
      if (section && section.getBoundingClientRect().top < window.innerHeight * 0.35) current = id;
    }
    for (const [id, link] of links) {
      link.classList.toggle("here", id === current);
      if (id !== current) {
        link.removeAttribute("aria-current");
      } else if (!link.hasAttribute("aria-current")) {
        link.setAttribute("aria-current", "location");
        const bar = link.parentElement as HTMLElement;
        bar.scrollLeft = link.offsetLeft - bar.offsetLeft - (bar.clientWidth - link.offsetWidth) / 2;
      }
    }
  };
  let waiting = false;
  window.addEventListener(
    "scroll",
    () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        mark();
      });
    },
    { passive: true },
  );
  requestAnimationFrame(mark);

  join({
    read: (_, id) => {
      const target = document.getElementById(id);
      if (!target) return;
      const closed = target.closest<HTMLDetailsElement>("details:not([open])");
      if (closed) closed.open = true;
      // The browser does not find an id that is followed by state.
      if (closed || location.hash.includes("?")) target.scrollIntoView({ behavior: "instant" });
    },
    write: () => undefined,
  });

  const opened: HTMLDetailsElement[] = [];
  window.addEventListener("beforeprint", () => {
    for (const details of all<HTMLDetailsElement>(document, "details:not([open], .evidence)")) {
      details.open = true;
      opened.push(details);
    }
  });
  window.addEventListener("afterprint", () => {
    for (const details of opened.splice(0)) details.open = false;
  });
}
