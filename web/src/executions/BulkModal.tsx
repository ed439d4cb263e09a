import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { listExecutions } from "../api/console";
import type { ExecutionLine } from "../api/shapes";
import { type Action, DONE, isPossible, MEANINGS, VERBS } from "../execution/lifecycle";
import { perform } from "../execution/perform";
import { showFlash } from "../state/flash";
import { counted } from "../text/sizes";
import { performAll, type Target } from "./bulk";
import { type Filters, toQuery } from "./filters";

const PAGE_SIZE = 100;
const SHOWN_FAILURES_MAX = 10;

interface Props {
  readonly action: Action;
  readonly selected: readonly ExecutionLine[];
  readonly filters: Filters;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Asks, then does one thing to many executions while the page stays usable. */
export function BulkModal({ action, selected, filters, onDone, onClose }: Props) {
  const [scope, setScope] = useState(selected.length > 0 ? "selected" : "matching");
  const [reason, setReason] = useState("");
  const possible = selected.filter((one) => isPossible(action, one.status, one.is_paused));

  function start(): void {
    onClose();
    const targets = scope === "selected" ? possible : matching(action, filters);
    const total = scope === "selected" ? possible.length : null;
    void run(action, targets, total, reason).then(onDone);
  }

  return (
    <Modal
      visible
      header={`${VERBS[action]} executions?`}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button
              variant="primary"
              disabled={scope === "selected" && possible.length === 0}
              disabledReason="None of them can be: see their status"
              onClick={start}
            >
              {VERBS[action]}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <RadioGroup
          ariaLabel="Which executions"
          value={scope}
          onChange={({ detail }) => setScope(detail.value)}
          items={[
            {
              value: "selected",
              label: `The selected: ${counted(selected.length, "execution")}`,
              description:
                possible.length === selected.length
                  ? undefined
                  : `${counted(possible.length, "of them")} can be ${DONE[action]} now`.replace(
                      "thems",
                      "them",
                    ),
              disabled: selected.length === 0,
            },
            {
              value: "matching",
              label: "All that match the filters",
              description: "Also those on pages that are not shown.",
            },
          ]}
        />
        <Box>{MEANINGS[action]}</Box>
        {action !== "delete" && (
          <FormField label="Reason (optional)">
            <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
          </FormField>
        )}
      </SpaceBetween>
    </Modal>
  );
}

/** Gives all executions that match and that the action makes sense for. */
async function* matching(action: Action, filters: Filters): AsyncGenerator<Target> {
  let marker: string | null = null;
  do {
    const page = await listExecutions(toQuery(filters), {
      limit: PAGE_SIZE,
      marker,
      newestFirst: true,
    });
    for (const one of page.executions) {
      if (isPossible(action, one.status, one.is_paused)) yield one;
    }
    marker = page.next_marker;
  } while (marker !== null);
}

async function run(
  action: Action,
  targets: Iterable<Target> | AsyncIterable<Target>,
  total: number | null,
  reason: string,
): Promise<void> {
  const header = (done: number): string =>
    `${VERBS[action]}: ${done}${total === null ? "" : ` of ${total}`}`;
  const progressOf = (done: number) => (total === null ? {} : { progress: (done / total) * 100 });
  const id = showFlash({ type: "in-progress", header: header(0), ...progressOf(0) });
  try {
    const { done, failures } = await performAll(
      targets,
      (target) => perform(action, target.arn, reason),
      (progress) =>
        showFlash(
          { type: "in-progress", header: header(progress.done), ...progressOf(progress.done) },
          id,
        ),
    );
    const fine = counted(done - failures.length, "execution");
    showFlash(
      {
        type: failures.length > 0 ? "error" : "success",
        header:
          failures.length > 0
            ? `${fine} ${DONE[action]}, ${failures.length} not`
            : `${fine} ${DONE[action]}`,
        details: [
          ...failures.slice(0, SHOWN_FAILURES_MAX).map((one) => `${one.name}: ${one.message}`),
          ...(failures.length > SHOWN_FAILURES_MAX
            ? [`and ${failures.length - SHOWN_FAILURES_MAX} more`]
            : []),
        ],
      },
      id,
    );
  } catch (error) {
    const content = error instanceof Error ? error.message : String(error);
    showFlash({ type: "error", header: `${VERBS[action]}: not all could be read`, content }, id);
  }
}
