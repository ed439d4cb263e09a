/** Spans of time as a person reads them. */

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** Returns "0 ms", "250 ms", "4.2 s", "3 m 20 s", "2 d 4 h": two units at most. */
export function span(ms: number): string {
  if (!Number.isFinite(ms)) return "-";
  if (ms < 0) return `-${span(-ms)}`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${trimmed(ms / 1_000)} s`;
  let rest = Math.round(ms / 1_000) * 1_000;
  const words: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) words.push(`${count} ${unit}`);
    else if (words.length > 0) break;
    if (words.length === 2) break;
  }
  return words.join(" ");
}

/** Returns "5 s ago" or "in 3 m". */
export function relative(atMs: number, nowMs: number): string {
  const distance = atMs - nowMs;
  if (Math.abs(distance) < 1_000) return "now";
  const rounded = Math.abs(distance) < 60_000 ? Math.round(distance / 1_000) * 1_000 : distance;
  return rounded < 0 ? `${span(-rounded)} ago` : `in ${span(rounded)}`;
}

function trimmed(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1).replace(/\.?0+$/, "");
}
