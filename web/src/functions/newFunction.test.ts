import { expect, it } from "vitest";
import { family, nameProblem, newFunctionRequest, numberProblem } from "./newFunction";

const DRAFT = {
  name: "hello",
  runtime: "python3.13",
  isDurable: true,
  executionTimeoutSeconds: "60",
  retentionDays: "7",
};

it("asks for a durable function only where one is wanted", () => {
  const durable = newFunctionRequest(DRAFT, "app.handler", "000000000000", "UEs=");
  expect(durable.DurableConfig).toEqual({ ExecutionTimeout: 60, RetentionPeriodInDays: 7 });
  const plain = newFunctionRequest({ ...DRAFT, isDurable: false }, "app.handler", "0", "UEs=");
  expect("DurableConfig" in plain).toBe(false);
});

it("says what is wrong before the server has to", () => {
  expect(nameProblem("my-function_1")).toBeNull();
  expect(nameProblem("")).not.toBeNull();
  expect(nameProblem("<img>")).not.toBeNull();
  expect(numberProblem("90", 90)).toBeNull();
  for (const text of ["", "0", "91", "1.5", "x"]) expect(numberProblem(text, 90)).not.toBeNull();
  expect(numberProblem("0", 90, 0)).toBeNull();
});

it("knows which runtimes run the same code", () => {
  expect([family("python3.13"), family("nodejs24.x")]).toEqual(["python", "nodejs"]);
});
