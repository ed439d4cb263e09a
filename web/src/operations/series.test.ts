import { expect, it } from "vitest";
import type { SeriesPoint } from "../api/shapes";
import { ceilingOf, level, pathOf, rate } from "./series";

const aPoint = (change: Partial<SeriesPoint>): SeriesPoint => ({
  at_ms: 0,
  checkpoints: 0,
  starts: 0,
  completions: 0,
  invocations: 0,
  errors: 0,
  checkpoint_p50_ms: null,
  checkpoint_p99_ms: null,
  running: 0,
  suspended: 0,
  ...change,
});

it("turns counts into rates, and leaves levels as they are", () => {
  const points = [aPoint({ checkpoints: 50, running: 3 })];
  expect(rate(points, "checkpoints", 5_000, "").values).toEqual([10]);
  expect(level(points, "running", "").values).toEqual([3]);
  expect(level(points, "checkpoint_p50_ms", "").values).toEqual([null]);
});

it("has a round ceiling", () => {
  const line = (...values: number[]) => [{ label: "", values }];
  expect(ceilingOf(line(0))).toBe(1);
  expect(ceilingOf(line(3, 7))).toBe(10);
  expect(ceilingOf(line(130))).toBe(200);
  expect(ceilingOf(line(0.4))).toBe(0.5);
});

it("leaves a gap where there is no figure", () => {
  expect(pathOf({ label: "", values: [0, 10, null, 5] }, 30, 10, 10)).toBe(
    "M0.0 10.0L10.0 0.0M30.0 5.0",
  );
});
