/**
 * The one way to the server. Adds the same-origin token to what changes something, and turns
 * what goes wrong into typed errors. It knows no call.
 */

/** What the server refused, in its words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** The server did not answer. */
export class Unreachable extends Error {
  constructor() {
    super("the server does not answer; is it running? The page goes on as soon as it is back");
    this.name = "Unreachable";
  }
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface RequestOptions {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const READ_AGAIN_MS: readonly number[] = [200, 800];
let token = "";
let renew: (() => Promise<string>) | null = null;

/** From now on requests that change something carry `value`; `again` fetches a new one. */
export function adoptToken(value: string, again: () => Promise<string>): void {
  token = value;
  renew = again;
}

/** Returns the answer, whatever it is made of. Throws ApiError or Unreachable. */
export async function send(
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<Response> {
  const first = await attempt(method, path, options);
  if (first.status !== 403 || method === "GET" || renew === null) return checked(first);
  // A restarted server has a new token: one more attempt with it, before the person hears of it.
  const fresh = await renew();
  if (fresh === token) return checked(first);
  token = fresh;
  return checked(await attempt(method, path, options));
}

/** Returns the JSON of the answer; `undefined` where it has no body. */
export async function json<T>(
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<T> {
  const answer = await send(method, path, options);
  const text = await answer.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** Returns `path` with the members of `query` that are not absent. */
export function withQuery(path: string, query: Query | undefined): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

async function attempt(method: string, path: string, options: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { ...options.headers };
  const body =
    options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  if (body !== undefined) headers["Content-Type"] ??= "application/json";
  if (method !== "GET") headers["X-Perdure-Token"] = token;
  // Reading again does no harm where the line broke; changing something twice might.
  const pausesMs = method === "GET" ? READ_AGAIN_MS : [];
  for (let failures = 0; ; failures += 1) {
    try {
      return await fetch(withQuery(path, options.query), {
        method,
        headers,
        body,
        signal: options.signal,
        credentials: "same-origin",
        cache: "no-store",
      });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      const pauseMs = pausesMs[failures];
      if (pauseMs === undefined) throw new Unreachable();
      await new Promise((resolve) => window.setTimeout(resolve, pauseMs));
    }
  }
}

async function checked(answer: Response): Promise<Response> {
  if (answer.ok) return answer;
  let type = answer.headers.get("x-amzn-errortype")?.split(":")[0] ?? "";
  let message = "";
  try {
    const body = (await answer.json()) as Record<string, unknown>;
    const word = (name: string): string => (typeof body[name] === "string" ? body[name] : "");
    message = word("message") || word("Message");
    type ||= word("type") || word("Type") || word("__type");
  } catch {
    message = "";
  }
  throw new ApiError(
    answer.status,
    type || "ServiceException",
    message || `the server answered ${answer.status} ${answer.statusText}`.trim(),
  );
}
