import { expect, it } from "vitest";
import { groupLines } from "./logGroups";

const A = "11111111-1111-1111-1111-111111111111";
const B = "22222222-2222-2222-2222-222222222222";
const OTHER = "33333333-3333-3333-3333-333333333333";

const aLine = (message: string, logStreamName = "one") => ({
  timestamp: 0,
  message,
  logStreamName,
});
const aRun = (number: number, requestId: string) => ({
  number,
  requestId,
  startMs: 0,
  endMs: 1,
  error: null,
});

it("gives each invocation its lines, and leaves out those of other executions", () => {
  const groups = groupLines(
    [
      aLine(`START RequestId: ${A} Version: 1`),
      aLine("hello"),
      aLine(`START RequestId: ${OTHER} Version: 1`, "two"),
      aLine("not ours", "two"),
      aLine(`END RequestId: ${A}`),
      aLine(`{"requestId":"${B}","message":"again"}`),
    ],
    [aRun(1, A), aRun(2, B)],
    "arn:ours",
  );
  expect(
    groups.map((group) => [group.run?.number, group.lines.map((line) => line.message)]),
  ).toEqual([
    [1, [`START RequestId: ${A} Version: 1`, "hello", `END RequestId: ${A}`]],
    [2, [`{"requestId":"${B}","message":"again"}`]],
  ]);
});

it("shows the invocation that runs, by the execution it names", () => {
  const groups = groupLines(
    [aLine(`{"requestId":"${A}","executionArn":"arn:ours"}`), aLine("goes on")],
    [],
    "arn:ours",
  );
  expect(groups).toHaveLength(1);
  expect(groups[0]?.run).toBeNull();
  expect(groups[0]?.lines).toHaveLength(2);
});
