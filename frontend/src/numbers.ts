import scales from "./scales.json";

/**
 * Numbers as src/profpipe/units.py writes them, by the same table of scales. Grouped by hand, because the
 * first `toLocaleString` of a page takes 50 ms, half of what a flame graph needs to be drawn.
 */
export function grouped(value: number, digits = 0): string {
  const [whole = "", rest] = value.toFixed(digits).split(".");
  const commas = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest === undefined ? commas : `${commas}.${rest}`;
}

/** "1 function", "1,204 functions". */
export function counted(many: number, one: string, more: string): string {
  return `${grouped(many)} ${many === 1 ? one : more}`;
}

export function count(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return grouped(value, 0);
  if (size >= 10) return grouped(value, 1);
  return grouped(value, size >= 0.01 ? 2 : Math.min(1 - Math.floor(Math.log10(size)), 6));
}

interface Scale {
  factor: number;
  /** [size, name, digits; null = as many as `count` gives], the smallest first. */
  steps: [number, string, number | null][];
}
const SCALES = scales as unknown as Record<string, Scale>;

export function amount(value: number, unit: string): string {
  const scale = SCALES[unit];
  if (!scale) return `${count(value)} ${unit.slice(0, 20)}`;
  const inSteps = value * scale.factor;
  let [size, name, digits] = scale.steps[0]!;
  for (const step of scale.steps) if (step[0] <= Math.abs(inSteps)) [size, name, digits] = step;
  const number = inSteps / size;
  const text = digits === null ? count(number) : grouped(number, digits);
  return name ? `${text} ${name}` : text;
}

export function percent(share: number): string {
  return share > 0 && share < 0.0005 ? "<0.1 %" : `${(share * 100).toFixed(1)} %`;
}

/** The same with its sign, a true minus; what rounds to nothing has none. */
export function signed(value: number, unit: string): string {
  const text = amount(Math.abs(value), unit);
  return /[1-9]/.test(text.replace(/[^0-9]/g, "")) ? `${value > 0 ? "+" : "−"}${text}` : text;
}
