import { expect, it } from "vitest";
import { reportOf } from "./report";

it("reads the last report", () => {
  const log = [
    "START RequestId: a Version: $LATEST",
    "REPORT RequestId: a\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t",
    "REPORT RequestId: b\tDuration: 12.25 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 31 MB\t",
  ].join("\n");
  expect(reportOf(log)).toEqual({
    requestId: "b",
    durationMs: 12.25,
    billedMs: 13,
    memoryMaxMb: 31,
  });
  expect(reportOf("hello")).toBeNull();
});
