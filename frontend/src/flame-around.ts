import { element } from "./data";

/** A step of the zoomed path: its name, and what going there does. */
export type Crumb = [string, () => void];

export function crumbs(steps: Crumb[], cut: boolean, whole: () => void): Node[] {
  const made: Node[] = [];
  const add = ([text, go]: Crumb): void => {
    const button = element("button", text);
    button.type = "button";
    button.addEventListener("click", go);
    if (made.length > 0) made.push(element("span", "›"));
    made.push(button);
  };
  add(["whole graph", whole]);
  if (cut) made.push(element("span", "› …"));
  for (const step of steps) add(step);
  return made;
}

/** Next to the pointer, below it where there is room, never outside its box. */
export function placeTip(tip: HTMLElement, box: HTMLElement, event: PointerEvent, name: string, words: string): void {
  tip.replaceChildren(element("code", name), element("span", words));
  const area = box.getBoundingClientRect();
  const x = event.clientX - area.left;
  const y = event.clientY - area.top;
  const below = y + 18 + tip.offsetHeight < area.height;
  tip.style.left = `${Math.max(4, Math.min(x + 14, area.width - tip.offsetWidth - 6))}px`;
  tip.style.top = `${box.scrollTop + (below ? y + 18 : Math.max(2, y - tip.offsetHeight - 10))}px`;
}
