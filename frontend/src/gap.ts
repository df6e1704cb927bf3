import { all } from "./data";

/** The two selectors above the waterfalls show one figure of those the template wrote. */
export function connectGap(): void {
  const contender = document.querySelector<HTMLSelectElement>("#gap-contender");
  const metric = document.querySelector<HTMLSelectElement>("#gap-metric");
  const none = document.querySelector<HTMLElement>("#gap-none");
  if (!contender || !metric || !none) return;
  const figures = all<HTMLElement>(document, ".waterfall");
  const show = (): void => {
    let any = false;
    for (const figure of figures) {
      const fits = figure.dataset.contender === contender.value && figure.dataset.metric === metric.value;
      figure.hidden = !fits;
      any ||= fits;
    }
    none.hidden = any;
  };
  const fromHash = (): void => {
    const wanted = figures.find((figure) => `#${figure.id}` === location.hash);
    if (!wanted) return;
    contender.value = wanted.dataset.contender ?? contender.value;
    metric.value = wanted.dataset.metric ?? metric.value;
    show();
    wanted.scrollIntoView();
  };
  const choose = (): void => {
    show();
    const shown = figures.find((figure) => !figure.hidden);
    if (shown) history.replaceState(null, "", `#${shown.id}`);
  };
  contender.addEventListener("change", choose);
  metric.addEventListener("change", choose);
  window.addEventListener("hashchange", fromHash);
  // The gap to look at first is the widest one: the contender the verdict is most likely about.
  const widest = figures[0];
  if (widest) {
    contender.value = widest.dataset.contender ?? "";
    metric.value = widest.dataset.metric ?? "";
  }
  show();
  fromHash();
}
