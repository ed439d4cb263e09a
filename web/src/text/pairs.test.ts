import { expect, it } from "vitest";
import { pairsOf, pairsProblem, recordOf } from "./pairs";

it("turns a record into pairs and back", () => {
  const record = { B: "2", A: "1" };
  expect(pairsOf(record).map((pair) => pair.name)).toEqual(["A", "B"]);
  expect(recordOf(pairsOf(record))).toEqual(record);
});

it("says which name is wrong", () => {
  const pair = (name: string) => ({ name, value: "" });
  expect(pairsProblem([pair("A")], /^A$/, "only A")).toBeNull();
  expect(pairsProblem([pair("A"), pair("A")], /^A$/, "only A")).toBe("A is there twice");
  expect(pairsProblem([pair("b")], /^A$/, "only A")).toBe("b: only A");
  expect(pairsProblem([pair("")], /^A$/, "only A")).toBe("a name is missing: only A");
});
