import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { listTestEvents } from "../api/console";
import type { FunctionDetails } from "../api/lambda";
import { LoadError } from "../parts/LoadError";
import { useQueryState } from "../state/places";
import { useResource } from "../state/useResource";
import { jsonProblem } from "../text/payloads";
import { TestEventForm } from "./TestEventForm";
import { TestOptions, type TestSettings } from "./TestOptions";
import { TestResult } from "./TestResult";
import { useTestRun } from "./useTestRun";

const NEW_EVENT = '{\n  "key1": "value1"\n}';

/** Runs the function with an event, and shows what came of it. */
export function TestTab({ details }: { details: FunctionDetails }) {
  const { FunctionName: name, DurableConfig: durable } = details.Configuration;
  const events = useResource((signal) => listTestEvents(name, signal), [name]);
  const [chosen, setChosen] = useQueryState("event", "");
  const [edited, setEdited] = useState<{ of: string; name: string; payload: string } | null>(null);
  const [settings, setSettings] = useState<TestSettings>({
    qualifier: "$LATEST",
    isAsynchronous: false,
    executionName: "",
  });
  const run = useTestRun(name, durable !== undefined);
  const saved = events.data?.find((one) => one.name === chosen);
  const draft =
    edited?.of === chosen
      ? edited
      : { of: chosen, name: saved?.name ?? "test", payload: saved?.payload ?? NEW_EVENT };
  const problem = jsonProblem(draft.payload);

  return (
    <SpaceBetween size="l">
      {run.outcome && (
        <TestResult functionName={name} outcome={run.outcome} nowRunning={run.isRunning} />
      )}
      <LoadError what="the test events" error={events.error} onRetry={events.reload} />
      <Container
        header={
          <Header
            variant="h2"
            description="Invokes the function without leaving the console. Saved events are kept on the server, for everybody."
            actions={
              <Button
                variant="primary"
                loading={run.isRunning}
                disabled={problem !== null}
                disabledReason={problem ?? ""}
                onClick={() =>
                  run.start({ eventName: draft.name, payload: draft.payload, ...settings })
                }
              >
                Test
              </Button>
            }
          >
            Test event
          </Header>
        }
      >
        <SpaceBetween size="l">
          <TestEventForm
            functionName={name}
            events={events.data ?? []}
            chosen={saved ? chosen : ""}
            draft={draft}
            problem={problem}
            onChoose={(next) => {
              setEdited(null);
              setChosen(next);
            }}
            onDraft={(change) => setEdited({ ...draft, ...change })}
            onSaved={(next) => {
              events.reload();
              setEdited({ ...draft, of: next });
              setChosen(next);
            }}
          />
          <TestOptions
            functionName={name}
            isDurable={durable !== undefined}
            settings={settings}
            onChange={setSettings}
          />
        </SpaceBetween>
      </Container>
    </SpaceBetween>
  );
}
