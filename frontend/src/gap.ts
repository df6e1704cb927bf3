import { all } from "./data";

/** The selectors above the waterfalls show one figure of those the template wrote. */
export function connectGap(): void {
  const metric = document.querySelector<HTMLSelectElement>("#gap-metric");
  const none = document.querySelector<HTMLElement>("#gap-none");
  const buttons = all<HTMLButtonElement>(document, ".gap-contender");
  const figures = all<HTMLElement>(document, ".waterfall");
  if (!metric || !none || figures.length === 0) return;
  let contender = "";
  const show = (): void => {
    let any = false;
    for (const figure of figures) {
      const fits = figure.dataset.contender === contender && figure.dataset.metric === metric.value;
      figure.hidden = !fits;
      any ||= fits;
    }
    none.hidden = any;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.key === contender));
  };
  const set = (figure: HTMLElement): void => {
    contender = figure.dataset.contender ?? "";
    metric.value = figure.dataset.metric ?? "";
    show();
  };
  const choose = (): void => {
    show();
    const shown = figures.find((figure) => !figure.hidden);
    if (shown) history.replaceState(null, "", `#${shown.id}`);
  };
  const fromHash = (): void => {
    const wanted = figures.find((figure) => `#${figure.id}` === location.hash);
    if (!wanted) return;
    set(wanted);
    wanted.scrollIntoView();
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      contender = button.dataset.key ?? "";
      choose();
    });
  }
  metric.addEventListener("change", choose);
  window.addEventListener("hashchange", fromHash);
  set(figures.find((figure) => figure.dataset.first !== undefined) ?? (figures[0] as HTMLElement));
  fromHash();
}
