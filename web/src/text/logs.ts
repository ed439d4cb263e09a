/** Log lines as a person reads them. Pure. */

/**
 * Returns the message of a line of Lambda's JSON log with its level; other lines as they are.
 *
 * Source: Lambda's log formats; `platform.*` lines are the service's own.
 */
export function logText(line: string): string {
  const text = line.trimEnd();
  if (!text.startsWith("{")) return text;
  try {
    const entry = JSON.parse(text) as Record<string, unknown>;
    const record = entry.record as Record<string, unknown> | undefined;
    if (typeof entry.type === "string" && record) return `${entry.type}${platformText(record)}`;
    if (typeof entry.message !== "string") return text;
    const level = typeof entry.level === "string" ? `${entry.level} ` : "";
    const stack = Array.isArray(entry.stackTrace) ? `\n${entry.stackTrace.join("\n")}` : "";
    return `${level}${entry.message}${stack}`;
  } catch {
    return text;
  }
}

function platformText(record: Record<string, unknown>): string {
  const metrics = record.metrics as Record<string, unknown> | undefined;
  const figures = Object.entries(metrics ?? {}).map(([name, value]) => `${name} ${value}`);
  const status = typeof record.status === "string" ? [record.status] : [];
  const words = [...status, ...figures];
  return words.length > 0 ? `: ${words.join(", ")}` : "";
}
