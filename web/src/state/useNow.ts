/** The present, by the server's clock, as a value that changes while somebody looks. */

import { useEffect, useState } from "react";

let aheadMs = 0;

/** From now on the present is what the server says it is. */
export function setServerNow(nowMs: number): void {
  aheadMs = nowMs - Date.now();
}

export const serverNow = (): number => Date.now() + aheadMs;

/** Returns the present in epoch milliseconds, renewed every `everyMs`; null keeps it still. */
export function useNow(everyMs: number | null): number {
  const [nowMs, setNowMs] = useState(serverNow);
  useEffect(() => {
    if (everyMs === null) return;
    setNowMs(serverNow());
    const timer = window.setInterval(() => setNowMs(serverNow()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return nowMs;
}
