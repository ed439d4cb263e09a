/** Series of figures over time, as lines to draw. Pure. */

import type { SeriesPoint } from "../api/shapes";

export interface Line {
  readonly label: string;
  /** null: there is no figure for this point. */
  readonly values: readonly (number | null)[];
}

export type Measure = Exclude<keyof SeriesPoint, "at_ms">;

/** Returns a line of counts, turned into counts a second. */
export function rate(
  points: readonly SeriesPoint[],
  measure: Measure,
  everyMs: number,
  label: string,
): Line {
  return {
    label,
    values: points.map((point) => {
      const value = point[measure];
      return value === null ? null : (value * 1_000) / everyMs;
    }),
  };
}

/** Returns a line of figures as they are. */
export function level(points: readonly SeriesPoint[], measure: Measure, label: string): Line {
  return { label, values: points.map((point) => point[measure]) };
}

/** Returns a round number that is at least the greatest value of the lines, and above 0. */
export function ceilingOf(lines: readonly Line[]): number {
  const greatest = Math.max(0, ...lines.flatMap((line) => line.values.map((value) => value ?? 0)));
  if (greatest === 0) return 1;
  const power = 10 ** Math.floor(Math.log10(greatest));
  return ([1, 2, 5, 10].find((step) => step * power >= greatest) ?? 10) * power;
}

/** Returns the path of a line in a box: "M0 10L5 3..."; a gap where there is no figure. */
export function pathOf(line: Line, widthPx: number, heightPx: number, ceiling: number): string {
  const last = Math.max(1, line.values.length - 1);
  let path = "";
  let isDown = false;
  line.values.forEach((value, at) => {
    if (value === null) {
      isDown = false;
      return;
    }
    const x = ((at / last) * widthPx).toFixed(1);
    const y = (heightPx - (value / ceiling) * heightPx).toFixed(1);
    path += `${isDown ? "L" : "M"}${x} ${y}`;
    isDown = true;
  });
  return path;
}
