import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { Suspense } from "react";
import { deleteTestEvent, putTestEvent } from "../api/console";
import type { TestEvent } from "../api/shapes";
import { lazyPage } from "../frame/lazyPage";
import { showError, showFlash } from "../state/flash";
import { pretty } from "../text/payloads";

const CodeEditor = lazyPage(() => import("../parts/CodeEditor"));
const NAME = /^[A-Za-z0-9\-_. ]{1,100}$/;
const NEW = "";

interface Props {
  readonly functionName: string;
  readonly events: readonly TestEvent[];
  readonly chosen: string;
  readonly draft: { readonly name: string; readonly payload: string };
  readonly problem: string | null;
  readonly onChoose: (name: string) => void;
  readonly onDraft: (change: { name?: string; payload?: string }) => void;
  readonly onSaved: (name: string) => void;
}

/** The event that a test sends: choose a saved one, change it, save it. */
export function TestEventForm(props: Props) {
  const { functionName, events, chosen, draft, problem, onChoose, onDraft, onSaved } = props;
  const isNameFine = NAME.test(draft.name);

  async function save(): Promise<void> {
    try {
      await putTestEvent(functionName, draft);
      showFlash({ type: "success", header: `Test event ${draft.name} is saved` });
      onSaved(draft.name);
    } catch (error) {
      showError("The test event was not saved", error);
    }
  }

  async function remove(): Promise<void> {
    try {
      await deleteTestEvent(functionName, chosen);
      showFlash({ type: "success", header: `Test event ${chosen} is deleted` });
      onSaved(NEW);
    } catch (error) {
      showError("The test event was not deleted", error);
    }
  }

  return (
    <SpaceBetween size="m">
      <SpaceBetween size="m" direction="horizontal" alignItems="end">
        <FormField label="Saved events">
          <Select
            ariaLabel="Saved events"
            selectedOption={
              chosen ? { value: chosen, label: chosen } : { value: NEW, label: "New event" }
            }
            options={[
              { value: NEW, label: "New event" },
              ...events.map((one) => ({ value: one.name, label: one.name })),
            ]}
            onChange={({ detail }) => onChoose(detail.selectedOption.value ?? NEW)}
          />
        </FormField>
        <FormField
          label="Event name"
          errorText={isNameFine ? null : "1 to 100 letters, digits, blanks and - _ ."}
        >
          <Input value={draft.name} onChange={({ detail }) => onDraft({ name: detail.value })} />
        </FormField>
        <Button disabled={!isNameFine || problem !== null} onClick={() => void save()}>
          Save
        </Button>
        <Button disabled={!chosen} onClick={() => void remove()}>
          Delete
        </Button>
        <Button
          disabled={problem !== null}
          onClick={() => onDraft({ payload: pretty(draft.payload) })}
        >
          Format JSON
        </Button>
      </SpaceBetween>
      <FormField label="Event JSON" errorText={problem} stretch>
        <Suspense fallback={<Spinner />}>
          <CodeEditor
            path={`${chosen || "new"}.json`}
            text={draft.payload}
            label="Event JSON"
            minHeight="160px"
            maxHeight="360px"
            onChange={(payload) => onDraft({ payload })}
          />
        </Suspense>
      </FormField>
    </SpaceBetween>
  );
}
