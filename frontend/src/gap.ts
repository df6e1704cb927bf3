import { all } from "./data";
import { join, keep } from "./fragment";

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
    if (shown) keep(shown.id);
  };
  const opening = figures.find((figure) => figure.dataset.first !== undefined) ?? (figures[0] as HTMLElement);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      contender = button.dataset.key ?? "";
      choose();
    });
  }
  metric.addEventListener("change", choose);
  set(opening);
  join({
    read: (state, id) => {
      const wanted = figures.find((figure) => figure.id === id) ?? figures.find((figure) => figure.id === state.get("gap"));
      if (!wanted) return;
      set(wanted);
      if (wanted.id === id) wanted.scrollIntoView({ behavior: "instant" });
    },
    write: (state) => {
      const shown = figures.find((figure) => !figure.hidden);
      if (shown && shown !== opening) state.set("gap", shown.id);
    },
  });
}
