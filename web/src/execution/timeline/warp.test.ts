import { describe, expect, it } from "vitest";
import { everything, moved, ticksOf, zoomed } from "./view";
import { instantAt, linear, placeOf, shrunk } from "./warp";

describe("axis", () => {
  it("is even when nothing is shrunk", () => {
    const axis = linear(1_000, 5_000);
    expect(placeOf(axis, 1_000)).toBe(0);
    expect(placeOf(axis, 3_000)).toBe(2_000);
    expect(placeOf(axis, 6_000)).toBe(5_000);
    expect(instantAt(axis, 2_000)).toBe(3_000);
  });

  it("gives a long idle stretch a small part, and keeps the order", () => {
    const day = 86_400_000;
    const axis = shrunk(0, day, [
      { fromMs: 0, toMs: 100 },
      { fromMs: 50, toMs: 200 },
      { fromMs: day - 200, toMs: day },
    ]);
    expect(axis.length).toBeCloseTo(400 + 32);
    const places = [0, 100, 200, day / 2, day - 200, day].map((atMs) => placeOf(axis, atMs));
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    for (const atMs of [0, 150, 200, day / 2, day - 10]) {
      expect(instantAt(axis, placeOf(axis, atMs))).toBeCloseTo(atMs, 0);
    }
  });

  it("is even where nothing ran", () => {
    expect(shrunk(5, 5, []).length).toBe(1);
  });
});

describe("view", () => {
  const axis = linear(0, 1_000);

  it("stays inside of the axis when zoomed or moved", () => {
    const all = everything(axis);
    const half = zoomed(axis, all, 2, 0);
    expect(half).toEqual({ from: 0, to: 510 });
    expect(moved(axis, half, -100)).toEqual(half);
    expect(moved(axis, half, 9_999).to).toBeCloseTo(all.to);
    expect(zoomed(axis, half, 0.01, 5)).toEqual(all);
  });

  it("has ticks at round times", () => {
    const ticks = ticksOf(axis, everything(axis), 600);
    expect(ticks.map((tick) => tick.place)).toEqual([0, 500, 1_000]);
  });
});
