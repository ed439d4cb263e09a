/** The console's own routes. */

import { json } from "./request";
import type {
  CallbackPage,
  Counts,
  Execution,
  ExecutionPage,
  FunctionLine,
  Operations,
  Session,
  Template,
  TestEvent,
} from "./shapes";

const API = "/console/api";
const events = (name: string): string => `${API}/functions/${encodeURIComponent(name)}/test-events`;

export const getSession = (): Promise<Session> => json("GET", `${API}/session`);

const PAGES_MAX = 100;

export async function listFunctions(signal?: AbortSignal): Promise<readonly FunctionLine[]> {
  const all: FunctionLine[] = [];
  let marker: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer: { functions: FunctionLine[]; next_marker?: string | null } = await json(
      "GET",
      `${API}/functions`,
      { query: { marker }, signal },
    );
    all.push(...answer.functions);
    marker = answer.next_marker ?? null;
    if (marker === null) break;
  }
  return all;
}

export async function listTestEvents(
  name: string,
  signal?: AbortSignal,
): Promise<readonly TestEvent[]> {
  return (await json<{ events: TestEvent[] }>("GET", events(name), { signal })).events;
}

export const putTestEvent = (name: string, event: TestEvent): Promise<unknown> =>
  json("PUT", `${events(name)}/${encodeURIComponent(event.name)}`, {
    body: { payload: event.payload },
  });

export const deleteTestEvent = (name: string, event: string): Promise<unknown> =>
  json("DELETE", `${events(name)}/${encodeURIComponent(event)}`);

export async function listTemplates(signal?: AbortSignal): Promise<readonly Template[]> {
  return (await json<{ templates: Template[] }>("GET", `${API}/templates`, { signal })).templates;
}

export interface ExecutionQuery {
  readonly function?: string;
  readonly version?: string;
  readonly status?: string;
  readonly name?: string;
  readonly started_after_ms?: number;
  readonly started_before_ms?: number;
  readonly text?: string;
}

export const listExecutions = (
  query: ExecutionQuery,
  page: { readonly limit: number; readonly marker: string | null; readonly newestFirst: boolean },
  signal?: AbortSignal,
): Promise<ExecutionPage> =>
  json("GET", `${API}/executions`, {
    query: { ...query, newest_first: page.newestFirst, limit: page.limit, marker: page.marker },
    signal,
  });

export const getCounts = (signal?: AbortSignal): Promise<Counts> =>
  json("GET", `${API}/counts`, { signal });

export const getExecution = (arn: string, signal?: AbortSignal): Promise<Execution> =>
  json("GET", `${API}/execution`, { query: { arn }, signal });

export const listCallbacks = (
  query: { readonly function?: string; readonly name?: string; readonly marker?: string | null },
  signal?: AbortSignal,
): Promise<CallbackPage> => json("GET", `${API}/callbacks`, { query, signal });

export const createCallbackLink = (
  callbackId: string,
  expiresSeconds: number,
  question: string,
): Promise<{ url: string; expires_at_ms: number }> =>
  json("POST", `${API}/callback-links`, {
    body: {
      callback_id: callbackId,
      expires_seconds: expiresSeconds,
      ...(question ? { question } : {}),
    },
  });

export const getOperations = (signal?: AbortSignal): Promise<Operations> =>
  json("GET", `${API}/operations`, { signal });
