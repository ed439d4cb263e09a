import { expect, it } from "vitest";
import { rangeOf } from "./visibleRows";

it("holds what is in sight, and stays inside of the list", () => {
  for (const scrollPx of [0, 27, 500, 83_000, 1e9]) {
    const { from, to } = rangeOf(scrollPx, 600, 3_000, 28);
    expect(from).toBeGreaterThanOrEqual(0);
    expect(to).toBeLessThanOrEqual(3_000);
    const first = Math.floor(scrollPx / 28);
    if (first < 2_978) {
      expect(from).toBeLessThanOrEqual(first);
      expect(to).toBeGreaterThanOrEqual(first + 22);
    }
    expect(to - from).toBeLessThan(70);
  }
  expect(rangeOf(0, 600, 0, 28)).toEqual({ from: 0, to: 0 });
});
