import { describe, expect, it } from "vitest";
import {
  type Filters,
  fromSearch,
  fromTokens,
  NO_FILTERS,
  toQuery,
  toSearch,
  toTokens,
} from "./filters";

const ALL: Filters = {
  functionName: "hello",
  version: "3",
  statuses: ["RUNNING", "FAILED"],
  namePrefix: "order-",
  startedAfterMs: 1_764_000_000_000,
  startedBeforeMs: 1_764_000_060_000,
  text: "太郎 & co",
};

describe("filters", () => {
  it.each([
    ["all", ALL],
    ["none", NO_FILTERS],
  ])("survive the address: %s", (_, filters) => {
    const search = new URLSearchParams(toSearch(filters));
    expect(fromSearch(new URLSearchParams(search.toString()))).toEqual(filters);
  });

  it.each([
    ["all", ALL],
    ["none", NO_FILTERS],
  ])("survive the property filter: %s", (_, filters) => {
    expect(fromTokens(toTokens(filters))).toEqual(filters);
  });

  it("become the server's query, with nothing in it that was not asked", () => {
    expect(toQuery(NO_FILTERS)).toEqual({});
    expect(toQuery(ALL)).toEqual({
      function: "hello",
      version: "3",
      status: "RUNNING,FAILED",
      name: "order-",
      started_after_ms: 1_764_000_000_000,
      started_before_ms: 1_764_000_060_000,
      text: "太郎 & co",
    });
  });

  it("leave out what nobody understands", () => {
    expect(fromSearch(new URLSearchParams("status=NOPE,FAILED&after=soon"))).toEqual({
      ...NO_FILTERS,
      statuses: ["FAILED"],
    });
    expect(fromTokens([{ propertyKey: "status", operator: "=", value: "timed out" }])).toEqual({
      ...NO_FILTERS,
      statuses: ["TIMED_OUT"],
    });
    expect(fromTokens([{ propertyKey: "started", operator: ">=", value: "?" }])).toEqual(
      NO_FILTERS,
    );
  });
});
