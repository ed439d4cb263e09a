import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useState } from "react";
import type { Execution, Explanation, WaitsFor } from "../api/shapes";
import { AnswerModal } from "../callbacks/AnswerModal";
import { LinkModal } from "../callbacks/LinkModal";
import { Goto } from "../parts/Goto";
import { Instant } from "../parts/Instant";
import { places } from "../state/places";
import { counted } from "../text/sizes";
import { relative } from "../text/spans";

const SHOWN_MAX = 20;
const HEADERS: Readonly<Record<Explanation["kind"], string>> = {
  waiting: "Why is it waiting?",
  running: "It is running",
  ready: "Why is it waiting?",
  retrying: "Why is it waiting?",
  paused: "Why is it waiting?",
  blocked: "Why is it waiting?",
  ended: "It has ended",
};

interface Props {
  readonly execution: Execution;
  readonly nowMs: number;
  readonly onChanged: () => void;
}

/** One sentence on what an open execution waits for, and what can be done about it. */
export function Explain({ execution, nowMs, onChanged }: Props) {
  const { explain } = execution;
  const isStuck = explain.kind === "blocked";
  return (
    <section aria-label="Why is it waiting?" data-kind={explain.kind}>
      <Alert
        type={isStuck ? "warning" : "info"}
        header={HEADERS[explain.kind] ?? "Why is it waiting?"}
      >
        <SpaceBetween size="xs">
          <div aria-live="polite">{explain.sentence}</div>
          {explain.waits.length > 0 && (
            <ExpandableSection
              headerText={`Details: ${counted(explain.wait_count, "open operation")}`}
              defaultExpanded={explain.waits.length <= 3}
            >
              <SpaceBetween size="s">
                {explain.waits.slice(0, SHOWN_MAX).map((wait) => (
                  <OneWait
                    key={wait.operation_id}
                    wait={wait}
                    nowMs={nowMs}
                    onChanged={onChanged}
                  />
                ))}
                {explain.wait_count > SHOWN_MAX && (
                  <Box color="text-body-secondary">
                    And {counted(explain.wait_count - SHOWN_MAX, "more operation")}: the timeline
                    shows them all.
                  </Box>
                )}
              </SpaceBetween>
            </ExpandableSection>
          )}
          <StatusIndicator type={explain.worker.available ? "success" : "warning"}>
            {capitalized(explain.worker.text)}
          </StatusIndicator>
        </SpaceBetween>
      </Alert>
    </section>
  );
}

interface WaitProps {
  readonly wait: WaitsFor;
  readonly nowMs: number;
  readonly onChanged: () => void;
}

function OneWait({ wait, nowMs, onChanged }: WaitProps) {
  const [asked, setAsked] = useState<"answer" | "link" | null>(null);
  const name = wait.name || wait.sub_type || wait.type;
  const callbackId = wait.callback_id;
  return (
    <div>
      <b>{[...wait.path, name].join(" › ")}</b>{" "}
      <Box display="inline" color="text-body-secondary">
        since <Instant atMs={wait.since_ms} /> ({relative(wait.since_ms, nowMs)})
        {wait.until_ms !== null && (
          <>
            , until <Instant atMs={wait.until_ms} /> ({relative(wait.until_ms, nowMs)})
          </>
        )}
        {wait.attempt !== null && wait.attempt > 1 && `, attempt ${wait.attempt}`}
      </Box>
      <div>{capitalized(wait.unblocks)}</div>
      {wait.last_error && (
        <Box color="text-status-error">
          {[wait.last_error.type, wait.last_error.message].filter(Boolean).join(": ")}
        </Box>
      )}
      {callbackId && (
        <SpaceBetween direction="horizontal" size="xs">
          <Button onClick={() => setAsked("answer")}>Answer the callback</Button>
          <Button onClick={() => setAsked("link")}>Create an approval link</Button>
        </SpaceBetween>
      )}
      {wait.chained_execution_arn && (
        <Goto place={places.execution(wait.chained_execution_arn)}>Open the child execution</Goto>
      )}
      {callbackId && asked === "answer" && (
        <AnswerModal
          callbackId={callbackId}
          name={name}
          onDone={onChanged}
          onClose={() => setAsked(null)}
        />
      )}
      {callbackId && asked === "link" && (
        <LinkModal callbackId={callbackId} name={name} onClose={() => setAsked(null)} />
      )}
    </div>
  );
}

const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
