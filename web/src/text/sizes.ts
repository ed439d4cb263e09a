/** Counts and sizes as a person reads them. */

const STEPS = ["KB", "MB", "GB", "TB"] as const;

/** Returns "512 bytes", "1.5 KB", "12 MB"; a KB is 1,024 bytes. */
export function bytes(count: number): string {
  if (count < 1_024) return count === 1 ? "1 byte" : `${count} bytes`;
  let value = count;
  let unit: string = "bytes";
  for (const step of STEPS) {
    if (value < 1_024) break;
    value /= 1_024;
    unit = step;
  }
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)} ${unit}`;
}

/** Returns "12,345". */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Returns "1 operation", "2 operations". */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Returns how many bytes `text` has in UTF-8. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
