/** A stream of the server's, as long as a part of the page is there. */

import { useEffect, useRef, useState } from "react";
import { follow, type StreamState } from "../api/stream";

/** Follows `path`; null follows nothing. Returns how the line is. */
export function useStream(
  path: string | null,
  query: Readonly<Record<string, string | number>>,
  on: Readonly<Record<string, (data: unknown) => void>>,
): StreamState {
  const [state, setState] = useState<StreamState>("connecting");
  const latest = useRef(on);
  latest.current = on;
  const key = JSON.stringify(query);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `query` is new with every render; `key` is its content.
  useEffect(() => {
    if (path === null) return;
    const handlers: Record<string, (data: unknown) => void> = {};
    for (const name of Object.keys(latest.current)) {
      handlers[name] = (data) => latest.current[name]?.(data);
    }
    return follow(path, query, { on: handlers, onState: setState });
  }, [path, key]);

  return state;
}
