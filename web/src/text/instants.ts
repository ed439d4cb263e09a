/** Instants as a person reads them: in the local zone, and in UTC beside it. */

const dateAndTime = new Intl.DateTimeFormat("sv-SE", {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** Returns "2026-11-26 14:03:07" in the local zone. */
export function localInstant(atMs: number): string {
  return dateAndTime.format(atMs);
}

/** Returns "14:03:07.250" in the local zone. */
export function localClock(atMs: number): string {
  const date = new Date(atMs);
  const two = (n: number): string => String(n).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

/** Returns "2026-11-26T13:03:07.250Z". */
export function utcInstant(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** Returns the instant that a local "2026-11-26T14:03" or an ISO text stands for, or null. */
export function parseInstant(text: string): number | null {
  const atMs = Date.parse(text.trim().replace(" ", "T"));
  return Number.isNaN(atMs) ? null : atMs;
}
