import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ErrorObject } from "../api/shapes";
import { PlainText } from "./Payload";
import "./json.css";

/** An error as the function raised it: its type, what it said, where it came from. */
export function ErrorView({ error }: { error: ErrorObject }) {
  const stack = error.StackTrace ?? [];
  return (
    <SpaceBetween size="xs">
      <Box color="text-status-error">
        <b>{error.ErrorType || "Error"}</b>
        {error.ErrorMessage ? `: ${error.ErrorMessage}` : ""}
      </Box>
      {error.ErrorData && <PlainText text={error.ErrorData} label="Data of the error" />}
      {stack.length > 0 && (
        <PlainText text={stack.map((line) => line.trimEnd()).join("\n")} label="Stack trace" />
      )}
    </SpaceBetween>
  );
}
