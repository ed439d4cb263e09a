import "./json.css";
import type { LogLine } from "../api/lambda";
import { localClock } from "../text/instants";
import { logText } from "../text/logs";
import { PlainText } from "./Payload";

/** Log lines with their times. */
export function LogLines({ lines, label }: { lines: readonly LogLine[]; label: string }) {
  const text = lines
    .map((line) => `${localClock(line.timestamp)}  ${logText(line.message)}`)
    .join("\n");
  return <PlainText text={text} label={label} />;
}
