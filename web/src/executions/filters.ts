/** What executions are looked for: as tokens in the filter, in the address, and for the server. Pure. */

import type { ExecutionQuery } from "../api/console";
import { parseInstant, utcInstant } from "../text/instants";

export interface Filters {
  readonly functionName: string;
  readonly version: string;
  readonly statuses: readonly string[];
  readonly namePrefix: string;
  readonly startedAfterMs: number | null;
  readonly startedBeforeMs: number | null;
  readonly text: string;
}

export const NO_FILTERS: Filters = {
  functionName: "",
  version: "",
  statuses: [],
  namePrefix: "",
  startedAfterMs: null,
  startedBeforeMs: null,
  text: "",
};

/** A token of the property filter; without a key it is free text. */
export interface Token {
  readonly propertyKey?: string;
  readonly operator: string;
  readonly value: string;
}

export const STATUSES = [
  "RUNNING",
  "PAUSED",
  "SUCCEEDED",
  "FAILED",
  "TIMED_OUT",
  "STOPPED",
] as const;

/** Returns the filters that an address's query names; what is not understood is left out. */
export function fromSearch(search: URLSearchParams): Filters {
  return {
    functionName: search.get("function") ?? "",
    version: search.get("version") ?? "",
    statuses: (search.get("status") ?? "").split(",").filter(isStatus),
    namePrefix: search.get("name") ?? "",
    startedAfterMs: parseInstant(search.get("after") ?? ""),
    startedBeforeMs: parseInstant(search.get("before") ?? ""),
    text: search.get("text") ?? "",
  };
}

/** Returns the members of an address's query; "" takes a member away. */
export function toSearch(filters: Filters): Readonly<Record<string, string>> {
  return {
    function: filters.functionName,
    version: filters.version,
    status: filters.statuses.join(","),
    name: filters.namePrefix,
    after: filters.startedAfterMs === null ? "" : utcInstant(filters.startedAfterMs),
    before: filters.startedBeforeMs === null ? "" : utcInstant(filters.startedBeforeMs),
    text: filters.text,
  };
}

/** Returns what the server is asked. */
export function toQuery(filters: Filters): ExecutionQuery {
  return {
    ...(filters.functionName && { function: filters.functionName }),
    ...(filters.version && { version: filters.version }),
    ...(filters.statuses.length > 0 && { status: filters.statuses.join(",") }),
    ...(filters.namePrefix && { name: filters.namePrefix }),
    ...(filters.startedAfterMs !== null && { started_after_ms: filters.startedAfterMs }),
    ...(filters.startedBeforeMs !== null && { started_before_ms: filters.startedBeforeMs }),
    ...(filters.text && { text: filters.text }),
  };
}

/** Returns the tokens that the property filter shows. */
export function toTokens(filters: Filters): Token[] {
  const tokens: Token[] = [];
  const add = (propertyKey: string, operator: string, value: string): void => {
    if (value) tokens.push({ propertyKey, operator, value });
  };
  add("function", "=", filters.functionName);
  add("version", "=", filters.version);
  for (const status of filters.statuses) add("status", "=", status);
  add("name", "^", filters.namePrefix);
  if (filters.startedAfterMs !== null) add("started", ">=", utcInstant(filters.startedAfterMs));
  if (filters.startedBeforeMs !== null) add("started", "<=", utcInstant(filters.startedBeforeMs));
  if (filters.text) tokens.push({ operator: ":", value: filters.text });
  return tokens;
}

/** Returns the filters that tokens stand for: of one property the last counts, statuses add up. */
export function fromTokens(tokens: readonly Token[]): Filters {
  let filters = NO_FILTERS;
  for (const { propertyKey, operator, value } of tokens) {
    filters = { ...filters, ...change(filters, propertyKey, operator, value.trim()) };
  }
  return filters;
}

function change(
  before: Filters,
  key: string | undefined,
  operator: string,
  value: string,
): Partial<Filters> {
  switch (key) {
    case "function":
      return { functionName: value };
    case "version":
      return { version: value };
    case "status": {
      const status = value.toUpperCase().replaceAll(" ", "_");
      const isNew = isStatus(status) && !before.statuses.includes(status);
      return isNew ? { statuses: [...before.statuses, status] } : {};
    }
    case "name":
      return { namePrefix: value };
    case "started": {
      const atMs = parseInstant(value);
      if (atMs === null) return {};
      return operator.startsWith(">") ? { startedAfterMs: atMs } : { startedBeforeMs: atMs };
    }
    default:
      return { text: value };
  }
}

function isStatus(text: string): boolean {
  return (STATUSES as readonly string[]).includes(text);
}
