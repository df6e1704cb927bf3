/**
 * Numbers as profpipe writes them everywhere else: src/profpipe/units.py `count` and `amount`. By hand, because the
 * first `toLocaleString` of a page takes 50 ms, half of what a flame graph needs to be drawn.
 */
export function grouped(value: number, digits = 0): string {
  const [whole = "", rest] = value.toFixed(digits).split(".");
  const commas = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest === undefined ? commas : `${commas}.${rest}`;
}

export function count(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return grouped(value, 0);
  if (size >= 10) return grouped(value, 1);
  return grouped(value, size >= 0.01 ? 2 : Math.min(1 - Math.floor(Math.log10(size)), 6));
}

function scaled(value: number, steps: [number, number, string][], last: [number, string]): string {
  for (const [limit, size, name] of steps) if (Math.abs(value) < limit) return `${count(value / size)} ${name}`;
  return `${count(value / last[0])} ${last[1]}`;
}

function nanoseconds(value: number): string {
  return scaled(value, [[1e3, 1, "ns"], [1e6, 1e3, "µs"], [1e9, 1e6, "ms"]], [1e9, "s"]);
}

export function amount(value: number, unit: string): string {
  if (unit === "ns") return nanoseconds(value);
  if (unit === "us") return nanoseconds(value * 1e3);
  if (unit === "s") return nanoseconds(value * 1e9);
  if (unit === "B") return scaled(value, [[1024, 1, "B"], [1024 ** 2, 1024, "KiB"]], [1024 ** 2, "MiB"]);
  return count(value);
}

export function percent(share: number): string {
  return share > 0 && share < 0.0005 ? "<0.1 %" : `${(share * 100).toFixed(1)} %`;
}

/** The same with its sign, a true minus; what rounds to nothing has none. */
export function signed(value: number, unit: string): string {
  const text = amount(Math.abs(value), unit);
  return /[1-9]/.test(text.replace(/[^0-9]/g, "")) ? `${value > 0 ? "+" : "−"}${text}` : text;
}
