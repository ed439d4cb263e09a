/** What a page has read from the server: loading, the value, or what went wrong. */

import { type DependencyList, useCallback, useEffect, useRef, useState } from "react";

export interface Resource<T> {
  readonly data: T | undefined;
  readonly error: Error | null;
  readonly isLoading: boolean;
  /** Reads again; the old value stays until the new one is there. */
  readonly reload: () => void;
  /** Puts a value in place without asking. */
  readonly set: (value: T) => void;
}

/** Reads on mount and whenever `dependencies` change; again every `everyMs`, if given. */
export function useResource<T>(
  read: (signal: AbortSignal) => Promise<T>,
  dependencies: DependencyList,
  everyMs?: number,
): Resource<T> {
  const [data, setData] = useState<T>();
  const [error, setError] = useState<Error | null>(null);
  const [isLoading, setLoading] = useState(true);
  const [round, setRound] = useState(0);
  const latest = useRef(read);
  latest.current = read;
  const reload = useCallback(() => setRound((value) => value + 1), []);
  const key = JSON.stringify(dependencies);
  const lastKey = useRef(key);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `read` is new with every render; `key` says what it reads.
  useEffect(() => {
    if (lastKey.current !== key) {
      lastKey.current = key;
      setData(undefined);
    }
    const controller = new AbortController();
    let timer = 0;
    setLoading(true);
    const again = async (): Promise<void> => {
      try {
        const value = await latest.current(controller.signal);
        setData(value);
        setError(null);
      } catch (caught) {
        if (controller.signal.aborted) return;
        setError(caught instanceof Error ? caught : new Error(String(caught)));
      }
      if (controller.signal.aborted) return;
      setLoading(false);
      if (everyMs !== undefined) timer = window.setTimeout(again, everyMs);
    };
    void again();
    return () => {
      controller.abort();
      window.clearTimeout(timer);
    };
  }, [key, round, everyMs]);

  return { data, error, isLoading, reload, set: setData };
}
