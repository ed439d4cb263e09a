import { expect, it } from "vitest";
import { errorPercent, total } from "./rates";

it("counts failures and time-outs among those that have ended", () => {
  expect(errorPercent({ SUCCEEDED: 6, FAILED: 1, TIMED_OUT: 1, RUNNING: 50 })).toBe(25);
  expect(errorPercent({ RUNNING: 3 })).toBeNull();
  expect(total({ SUCCEEDED: 6, RUNNING: 3 })).toBe(9);
});
