/** The part of the axis that is shown, and its ticks. Pure. */

import { type Axis, instantAt } from "./warp";

/** From one place on the axis to another. */
export interface View {
  readonly from: number;
  readonly to: number;
}

const SHOWN_MIN = 1;
const TICK_PX = 120;

/** Returns the view of everything, with a little room at the end. */
export function everything(axis: Axis): View {
  return { from: 0, to: axis.length * 1.02 };
}

/** Returns the view magnified by `factor` around `centre`, inside of the axis. */
export function zoomed(axis: Axis, view: View, factor: number, centre: number): View {
  const all = everything(axis);
  const length = Math.min(all.to, Math.max(SHOWN_MIN, (view.to - view.from) / factor));
  const share = (centre - view.from) / (view.to - view.from);
  return inside(all, centre - share * length, length);
}

/** Returns the view moved by `by`, inside of the axis. */
export function moved(axis: Axis, view: View, by: number): View {
  return inside(everything(axis), view.from + by, view.to - view.from);
}

function inside(all: View, from: number, length: number): View {
  const start = Math.max(all.from, Math.min(from, all.to - length));
  return { from: start, to: start + length };
}

export interface Tick {
  readonly place: number;
  readonly atMs: number;
}

/** Returns ticks about every 120 pixels, at round times where the axis is even. */
export function ticksOf(axis: Axis, view: View, widthPx: number): Tick[] {
  const count = Math.max(1, Math.floor(widthPx / TICK_PX));
  const length = view.to - view.from;
  const isEven = axis.pieces.length === 1;
  const step = isEven ? roundStep(length / count) : length / count;
  const ticks: Tick[] = [];
  const first = isEven ? Math.ceil(view.from / step) * step : view.from;
  for (let place = first; place <= view.to && ticks.length < 100; place += step) {
    ticks.push({ place, atMs: instantAt(axis, place) });
  }
  return ticks;
}

const STEPS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000];
const MINUTE = 60_000;
const LONG_STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1_440].map((n) => n * MINUTE);

function roundStep(ms: number): number {
  const step = [...STEPS_MS, ...LONG_STEPS_MS].find((one) => one >= ms);
  if (step !== undefined) return step;
  const day = 1_440 * MINUTE;
  return Math.ceil(ms / day) * day;
}
