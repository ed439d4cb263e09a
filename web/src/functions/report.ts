/** The figures that Lambda writes at the end of an invocation's log. Pure. */

export interface Report {
  readonly requestId: string | null;
  readonly durationMs: number | null;
  readonly billedMs: number | null;
  readonly memoryMaxMb: number | null;
}

/** Returns what the last REPORT line in `log` says; null where there is none. */
export function reportOf(log: string): Report | null {
  const line = log
    .split("\n")
    .filter((one) => one.startsWith("REPORT RequestId:"))
    .at(-1);
  if (!line) return null;
  const figure = (pattern: RegExp): number | null => {
    const text = pattern.exec(line)?.[1];
    return text === undefined ? null : Number(text);
  };
  return {
    requestId: /RequestId: (\S+)/.exec(line)?.[1] ?? null,
    durationMs: figure(/(?:^|\t)Duration: ([\d.]+) ms/),
    billedMs: figure(/Billed Duration: ([\d.]+) ms/),
    memoryMaxMb: figure(/Max Memory Used: ([\d.]+) MB/),
  };
}
