/**
 * Server-sent events that come back by themselves. The browser reconnects after a broken line;
 * this also does after a refusal (a full server, a restart), with growing pauses.
 */

import { withQuery } from "./request";

export type StreamState = "connecting" | "live" | "waiting" | "ended";

export interface StreamHandlers {
  /** For each name of an event: what to do with its data. */
  readonly on: Readonly<Record<string, (data: unknown) => void>>;
  readonly onState?: (state: StreamState) => void;
}

const PAUSE_MS_MAX = 15_000;

/** Follows `path` until the returned function is called, or `event: end` comes. */
export function follow(
  path: string,
  query: Readonly<Record<string, string | number>>,
  handlers: StreamHandlers,
): () => void {
  let source: EventSource | null = null;
  let timer = 0;
  let failures = 0;
  let lastId = "";
  const tell = handlers.onState ?? (() => undefined);

  function close(): void {
    source?.close();
    source = null;
    window.clearTimeout(timer);
  }

  function open(): void {
    tell(failures === 0 ? "connecting" : "waiting");
    source = new EventSource(withQuery(path, lastId ? { ...query, after: lastId } : query));
    source.onopen = () => {
      failures = 0;
      tell("live");
    };
    source.onerror = () => {
      if (source?.readyState !== EventSource.CLOSED) {
        tell("waiting");
        return;
      }
      close();
      failures += 1;
      tell("waiting");
      timer = window.setTimeout(open, Math.min(PAUSE_MS_MAX, 500 * 2 ** failures));
    };
    for (const [name, handle] of Object.entries(handlers.on)) {
      source.addEventListener(name, (event: MessageEvent<string>) => {
        if (event.lastEventId) lastId = event.lastEventId;
        handle(JSON.parse(event.data));
      });
    }
    source.addEventListener("end", () => {
      close();
      tell("ended");
    });
  }

  open();
  return close;
}
