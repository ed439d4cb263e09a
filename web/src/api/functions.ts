/** The calls of the Lambda API on functions. */

import { decodeBase64Text } from "../text/base64";
import type {
  Alias,
  CreateFunction,
  FunctionConfiguration,
  FunctionDetails,
  InvokeAnswer,
  UpdateConfiguration,
} from "./lambda";
import { json, send } from "./request";

const FUNCTIONS = "/2015-03-31/functions";
const PAGES_MAX = 100;

const path = (name: string, rest = ""): string => `${FUNCTIONS}/${encodeURIComponent(name)}${rest}`;
const concurrencyPath = (name: string): string =>
  `/2017-10-31/functions/${encodeURIComponent(name)}/concurrency`;
const tagsPath = (arn: string): string => `/2017-03-31/tags/${encodeURIComponent(arn)}`;

export const createFunction = (request: CreateFunction): Promise<FunctionConfiguration> =>
  json("POST", FUNCTIONS, { body: request });

export const getFunction = (
  name: string,
  qualifier: string | null,
  signal?: AbortSignal,
): Promise<FunctionDetails> => json("GET", path(name), { query: { Qualifier: qualifier }, signal });

export const deleteFunction = (name: string, qualifier?: string): Promise<void> =>
  json("DELETE", path(name), { query: { Qualifier: qualifier } });

export const updateCode = (
  name: string,
  zipBase64: string,
  revision?: string,
): Promise<FunctionConfiguration> =>
  json("PUT", path(name, "/code"), { body: { ZipFile: zipBase64, RevisionId: revision } });

export const updateConfiguration = (
  name: string,
  change: UpdateConfiguration,
): Promise<FunctionConfiguration> => json("PUT", path(name, "/configuration"), { body: change });

export const publishVersion = (name: string, description: string): Promise<FunctionConfiguration> =>
  json("POST", path(name, "/versions"), { body: { Description: description } });

/** Returns the versions, `$LATEST` among them. */
export async function listVersions(
  name: string,
  signal?: AbortSignal,
): Promise<FunctionConfiguration[]> {
  return pages(async (marker) => {
    const page = await json<{ Versions?: FunctionConfiguration[]; NextMarker?: string }>(
      "GET",
      path(name, "/versions"),
      { query: { Marker: marker }, signal },
    );
    return [page.Versions ?? [], page.NextMarker ?? null];
  });
}

export async function listAliases(name: string, signal?: AbortSignal): Promise<Alias[]> {
  return pages(async (marker) => {
    const page = await json<{ Aliases?: Alias[]; NextMarker?: string }>(
      "GET",
      path(name, "/aliases"),
      { query: { Marker: marker }, signal },
    );
    return [page.Aliases ?? [], page.NextMarker ?? null];
  });
}

export const createAlias = (name: string, alias: Alias): Promise<Alias> =>
  json("POST", path(name, "/aliases"), { body: alias });

export const updateAlias = (name: string, alias: Alias): Promise<Alias> =>
  json("PUT", path(name, `/aliases/${encodeURIComponent(alias.Name)}`), { body: alias });

export const deleteAlias = (name: string, alias: string): Promise<void> =>
  json("DELETE", path(name, `/aliases/${encodeURIComponent(alias)}`));

export const putConcurrency = (name: string, reserved: number): Promise<unknown> =>
  json("PUT", concurrencyPath(name), { body: { ReservedConcurrentExecutions: reserved } });

export const deleteConcurrency = (name: string): Promise<void> =>
  json("DELETE", concurrencyPath(name));

export async function listTags(
  arn: string,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const answer = await json<{ Tags?: Record<string, string> }>("GET", tagsPath(arn), { signal });
  return answer.Tags ?? {};
}

export const tagResource = (arn: string, tags: Readonly<Record<string, string>>): Promise<void> =>
  json("POST", tagsPath(arn), { body: { Tags: tags } });

export async function untagResource(arn: string, keys: readonly string[]): Promise<void> {
  const search = new URLSearchParams(keys.map((key) => ["tagKeys", key]));
  await send("DELETE", `${tagsPath(arn)}?${search.toString()}`);
}

export interface Invocation {
  readonly name: string;
  readonly qualifier: string;
  readonly payload: string;
  readonly isAsynchronous: boolean;
  readonly executionName: string;
}

/** Invokes; a synchronous one answers when the function has ended. */
export async function invoke(invocation: Invocation, signal?: AbortSignal): Promise<InvokeAnswer> {
  const headers: Record<string, string> = {
    "X-Amz-Invocation-Type": invocation.isAsynchronous ? "Event" : "RequestResponse",
  };
  if (!invocation.isAsynchronous) headers["X-Amz-Log-Type"] = "Tail";
  if (invocation.executionName) {
    headers["X-Amz-Durable-Execution-Name"] = invocation.executionName;
  }
  const answer = await send("POST", path(invocation.name, "/invocations"), {
    query: { Qualifier: invocation.qualifier },
    raw: invocation.payload,
    headers,
    signal,
  });
  return {
    statusCode: answer.status,
    functionError: answer.headers.get("x-amz-function-error"),
    payload: await answer.text(),
    logTail: decodeBase64Text(answer.headers.get("x-amz-log-result") ?? ""),
    executedVersion: answer.headers.get("x-amz-executed-version"),
    executionArn: answer.headers.get("x-amz-durable-execution-arn"),
    requestId: answer.headers.get("x-amzn-requestid"),
  };
}

/** Returns the bytes of a function's zip; `location` is this server's own. */
export async function fetchCode(location: string, signal?: AbortSignal): Promise<Uint8Array> {
  const url = new URL(location, window.location.href);
  const answer = await send("GET", url.pathname + url.search, { signal });
  return new Uint8Array(await answer.arrayBuffer());
}

async function pages<T>(
  read: (marker: string | null) => Promise<[T[], string | null]>,
): Promise<T[]> {
  const all: T[] = [];
  let marker: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const [items, next]: [T[], string | null] = await read(marker);
    all.push(...items);
    if (next === null) break;
    marker = next;
  }
  return all;
}
