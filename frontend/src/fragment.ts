/**
 * The address of what is seen: `#<id>?<state>`. The id is the place that was acted on last, as in any link; the state
 * is what every part of the page was set to (sorting, search, open rows, graph, frame), so that a copied address shows
 * the same view. Nothing else is stored anywhere.
 */
export interface Part {
  /** Take over what the address says; called once at start and whenever somebody changes the address. */
  read(state: URLSearchParams, id: string): void;
  /** Write what differs from the page as it opens. */
  write(state: URLSearchParams): void;
}

const parts: Part[] = [];
let written = "";

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % in a hand-written address
  }
}

export function readFragment(hash: string = location.hash): { id: string; state: URLSearchParams } {
  const at = hash.indexOf("?");
  const id = decoded(hash.slice(1, at < 0 ? undefined : at));
  return { id, state: new URLSearchParams(at < 0 ? "" : hash.slice(at + 1)) };
}

export function join(part: Part): void {
  parts.push(part);
}

/** Call after a part changed, to update the address. Without `id` the place stays the same. */
export function keep(id: string = readFragment().id): void {
  const state = new URLSearchParams();
  for (const part of parts) part.write(state);
  const text = state.toString();
  written = id || text ? `#${encodeURIComponent(id)}${text ? `?${text}` : ""}` : "";
  if (location.hash !== written) history.replaceState(null, "", written || location.pathname + location.search);
}

function take(): void {
  const { id, state } = readFragment();
  for (const part of parts) part.read(state, id);
}

/** Called when every part has joined. A plain link of the page names a place only: the state is kept and added to it. */
export function connectFragment(): void {
  if (location.hash) take();
  window.addEventListener("hashchange", () => {
    if (location.hash === written) return;
    take();
    if (!location.hash.includes("?")) keep();
  });
}
