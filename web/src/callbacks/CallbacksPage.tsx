import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useState } from "react";
import { listCallbacks } from "../api/console";
import { sendHeartbeat } from "../api/executions";
import type { OpenCallback } from "../api/shapes";
import { Empty } from "../parts/Empty";
import { Goto } from "../parts/Goto";
import { Instant } from "../parts/Instant";
import { LoadError } from "../parts/LoadError";
import { Page } from "../parts/Page";
import { showError, showFlash } from "../state/flash";
import { places, useQueryState } from "../state/places";
import { useNow } from "../state/useNow";
import { useResource } from "../state/useResource";
import { briefPayload } from "../text/payloads";
import { relative, span } from "../text/spans";
import { AnswerModal } from "./AnswerModal";
import { LinkModal } from "./LinkModal";

const EVERY_MS = 3_000;
const PAGES_MAX = 50;

type Asked = "success" | "failure" | "link";

/** The callbacks that somebody should answer. */
export default function CallbacksPage() {
  const [find, setFind] = useQueryState("find", "");
  const callbacks = useResource(readAll, [], EVERY_MS);
  const [asked, setAsked] = useState<{ what: Asked; callback: OpenCallback } | null>(null);
  const nowMs = useNow(1_000);
  const wanted = find.trim().toLowerCase();
  const shown = (callbacks.data ?? []).filter((one) =>
    [one.name, one.function_name, one.execution_name, one.submitter?.result]
      .join(" ")
      .toLowerCase()
      .includes(wanted),
  );

  async function beat(callback: OpenCallback): Promise<void> {
    try {
      await sendHeartbeat(callback.callback_id);
      showFlash({ type: "success", header: `Heartbeat for ${titleOf(callback)} is sent` });
      callbacks.reload();
    } catch (error) {
      showError(`The heartbeat for ${titleOf(callback)} was refused`, error);
    }
  }

  function act(what: string, callback: OpenCallback): void {
    if (what === "heartbeat") void beat(callback);
    else setAsked({ what: what as Asked, callback });
  }

  return (
    <Page
      title="Callbacks"
      crumbs={[{ text: "Callbacks", place: places.callbacks }]}
      contentType="table"
      isBare
    >
      <SpaceBetween size="m">
        <LoadError what="the callbacks" error={callbacks.error} onRetry={callbacks.reload} />
        <Table
          variant="full-page"
          stickyHeader
          items={shown}
          trackBy="callback_id"
          loading={callbacks.isLoading && !callbacks.data}
          loadingText="Reading the callbacks"
          columnDefinitions={columnsOf(nowMs, act)}
          ariaLabels={{ tableLabel: "Open callbacks" }}
          wrapLines
          header={
            <Header
              variant="awsui-h1-sticky"
              counter={callbacks.data && `(${callbacks.data.length})`}
              description="Executions that wait for an answer from outside: a person, or another system."
              actions={
                <Button
                  iconName="refresh"
                  ariaLabel="Read the callbacks again"
                  onClick={callbacks.reload}
                />
              }
            >
              Callbacks
            </Header>
          }
          filter={
            <TextFilter
              filteringText={find}
              filteringPlaceholder="Find by name, function, execution or data"
              filteringAriaLabel="Find callbacks"
              onChange={({ detail }) => setFind(detail.filteringText)}
            />
          }
          empty={
            wanted ? (
              <Empty title="No callback matches">Try another text.</Empty>
            ) : (
              <Empty
                title="Nothing waits for an answer"
                command="perdure callback succeed CALLBACK_ID '{&quot;approved&quot;: true}'"
              >
                A function waits with context.wait_for_callback (Python) or context.waitForCallback
                (JavaScript). Its callback is then listed here; it can also be answered from a
                terminal.
              </Empty>
            )
          }
        />
      </SpaceBetween>
      {asked && asked.what !== "link" && (
        <AnswerModal
          callbackId={asked.callback.callback_id}
          name={titleOf(asked.callback)}
          startsWith={asked.what}
          onDone={callbacks.reload}
          onClose={() => setAsked(null)}
        />
      )}
      {asked?.what === "link" && (
        <LinkModal
          callbackId={asked.callback.callback_id}
          name={titleOf(asked.callback)}
          onClose={() => setAsked(null)}
        />
      )}
    </Page>
  );
}

async function readAll(signal: AbortSignal): Promise<OpenCallback[]> {
  const all: OpenCallback[] = [];
  let marker: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await listCallbacks({ marker }, signal);
    all.push(...answer.callbacks);
    marker = answer.next_marker;
    if (marker === null) break;
  }
  return all;
}

const titleOf = (callback: OpenCallback): string => callback.name || "callback";

function columnsOf(
  nowMs: number,
  act: (what: string, callback: OpenCallback) => void,
): TableProps.ColumnDefinition<OpenCallback>[] {
  return [
    { id: "name", header: "Callback", isRowHeader: true, minWidth: 140, cell: titleOf },
    {
      id: "execution",
      header: "Execution",
      minWidth: 130,
      cell: (one) => (
        <>
          <Goto place={`${places.execution(one.execution_arn)}?operation=${one.operation_id}`}>
            {one.execution_name}
          </Goto>
          <Box color="text-body-secondary" fontSize="body-s">
            {one.function_name}
          </Box>
        </>
      ),
    },
    {
      id: "age",
      header: "Waits for",
      minWidth: 110,
      cell: (one) => (
        <span title={new Date(one.started_at_ms).toISOString()}>
          {span(Math.max(0, nowMs - one.started_at_ms))}
        </span>
      ),
    },
    {
      id: "timeouts",
      header: "Times out",
      minWidth: 150,
      cell: (one) => <Timeouts callback={one} nowMs={nowMs} />,
    },
    {
      id: "data",
      header: "Submitter's data",
      cell: (one) =>
        one.submitter ? (
          <span className="mono">
            {one.submitter.name ? `${one.submitter.name}: ` : ""}
            {one.submitter.result === null
              ? one.submitter.status.toLowerCase()
              : briefPayload(one.submitter.result, 160)}
          </span>
        ) : (
          "-"
        ),
    },
    {
      id: "actions",
      header: "Answer",
      minWidth: 210,
      cell: (one) => (
        <ButtonDropdown
          variant="normal"
          mainAction={{ text: "Send success", onClick: () => act("success", one) }}
          ariaLabel={`More answers for ${titleOf(one)}`}
          expandToViewport
          items={[
            { id: "failure", text: "Send failure" },
            { id: "heartbeat", text: "Send heartbeat" },
            { id: "link", text: "Create an approval link" },
          ]}
          onItemClick={({ detail }) => act(detail.id, one)}
        />
      ),
    },
  ];
}

function Timeouts({ callback, nowMs }: { callback: OpenCallback; nowMs: number }) {
  const { timeout_at_ms: timeoutMs, heartbeat_timeout_at_ms: heartbeatMs } = callback;
  if (timeoutMs === null && heartbeatMs === null) return <>Never</>;
  return (
    <>
      {timeoutMs !== null && (
        <div>
          <Instant atMs={timeoutMs} /> ({relative(timeoutMs, nowMs)})
        </div>
      )}
      {heartbeatMs !== null && <div>Heartbeat {relative(heartbeatMs, nowMs)}</div>}
    </>
  );
}
