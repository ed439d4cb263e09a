import { expect, it } from "vitest";
import { logText } from "./logs";

it("shows what was said, not how it was wrapped", () => {
  expect(logText('{"level":"INFO","message":"hello","requestId":"r"}\n')).toBe("INFO hello");
  expect(logText('{"type":"platform.start","record":{"requestId":"r"}}')).toBe("platform.start");
  expect(
    logText('{"type":"platform.report","record":{"metrics":{"durationMs":38},"status":"success"}}'),
  ).toBe("platform.report: success, durationMs 38");
  for (const line of ["plain text", '{"a": 1}', "{broken"]) expect(logText(line)).toBe(line);
});
