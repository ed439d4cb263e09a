import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tiles from "@cloudscape-design/components/tiles";
import Toggle from "@cloudscape-design/components/toggle";
import { useEffect, useState } from "react";
import { listTemplates } from "../api/console";
import { createFunction } from "../api/functions";
import type { Template } from "../api/shapes";
import { LoadError } from "../parts/LoadError";
import { Page } from "../parts/Page";
import { showFlash } from "../state/flash";
import { places, useGo } from "../state/places";
import { useSession } from "../state/session";
import { useResource } from "../state/useResource";
import { count } from "../text/sizes";
import { closeArchive, textFile } from "./archive";
import {
  family,
  type NewFunction,
  nameProblem,
  newFunctionRequest,
  numberProblem,
  RETENTION_DAYS_MAX,
  TIMEOUT_SECONDS_MAX,
} from "./newFunction";

/** Makes a function of a template. */
export default function CreateFunctionPage() {
  const session = useSession();
  const go = useGo();
  const templates = useResource((signal) => listTemplates(signal), []);
  const [draft, setDraft] = useState<NewFunction>({
    name: "",
    runtime: "",
    isDurable: true,
    executionTimeoutSeconds: "3600",
    retentionDays: "14",
  });
  const [template, setTemplate] = useState<Template | null>(null);
  const [isChecked, setChecked] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const change = (part: Partial<NewFunction>): void =>
    setDraft((before) => ({ ...before, ...part }));

  function choose(next: Template): void {
    setTemplate(next);
    const fitting = session.runtimes.find((one) => family(one) === family(next.runtime));
    const keeps = session.runtimes.includes(next.runtime);
    change({
      runtime: keeps ? next.runtime : (fitting ?? next.runtime),
      isDurable: next.is_durable,
    });
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: the first template is chosen once they are there.
  useEffect(() => {
    const first = templates.data?.[0];
    if (first && template === null) choose(first);
  }, [templates.data]);

  const problems = {
    name: nameProblem(draft.name),
    timeout: draft.isDurable
      ? numberProblem(draft.executionTimeoutSeconds, TIMEOUT_SECONDS_MAX)
      : null,
    retention: draft.isDurable ? numberProblem(draft.retentionDays, RETENTION_DAYS_MAX) : null,
  };
  const shown = (text: string | null): string => (isChecked ? (text ?? "") : "");

  async function create(): Promise<void> {
    setChecked(true);
    if (!template || Object.values(problems).some(Boolean)) return;
    setBusy(true);
    setProblem("");
    try {
      const zip = closeArchive(template.files.map((file) => textFile(file.path, file.text)));
      await createFunction(newFunctionRequest(draft, template.handler, session.account_id, zip));
      showFlash({
        type: "success",
        header: `Function ${draft.name} is created`,
        content: "Its code is below; the Test tab runs it.",
      });
      go(places.function(draft.name));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  }

  return (
    <Page
      title="Create function"
      crumbs={[
        { text: "Functions", place: places.functions },
        { text: "Create function", place: places.createFunction },
      ]}
      contentType="form"
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" formAction="none" onClick={() => go(places.functions)}>
                Cancel
              </Button>
              <Button variant="primary" loading={isBusy} disabled={template === null}>
                Create function
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {problem && (
              <Alert type="error" header="The function was not created">
                {problem}
              </Alert>
            )}
            <LoadError what="the templates" error={templates.error} onRetry={templates.reload} />
            <Container header={<Header variant="h2">Basic information</Header>}>
              <SpaceBetween size="l">
                <FormField
                  label="Function name"
                  constraintText="1 to 64 letters, numbers, hyphens and underscores."
                  errorText={shown(problems.name)}
                >
                  <Input
                    value={draft.name}
                    placeholder="my-function"
                    autoFocus
                    onChange={({ detail }) => change({ name: detail.value })}
                  />
                </FormField>
                <FormField
                  label="Template"
                  description="What the function does at first. You can change all of it afterwards."
                  stretch
                >
                  <Tiles
                    ariaLabel="Template"
                    value={template?.id ?? null}
                    columns={2}
                    items={(templates.data ?? []).map((one) => ({
                      value: one.id,
                      label: titleOf(one),
                      description: `${one.runtime}${one.is_durable ? ", durable" : ""}`,
                    }))}
                    onChange={({ detail }) => {
                      const chosen = templates.data?.find((one) => one.id === detail.value);
                      if (chosen) choose(chosen);
                    }}
                  />
                </FormField>
                <FormField label="Runtime" description="What this server can run.">
                  <Select
                    ariaLabel="Runtime"
                    selectedOption={draft.runtime ? { value: draft.runtime } : null}
                    placeholder="Choose a runtime"
                    options={session.runtimes
                      .filter((one) => !template || family(one) === family(template.runtime))
                      .map((value) => ({ value }))}
                    empty="This server has no runtime for the template"
                    onChange={({ detail }) =>
                      change({ runtime: detail.selectedOption.value ?? "" })
                    }
                  />
                </FormField>
              </SpaceBetween>
            </Container>
            <Container
              header={
                <Header
                  variant="h2"
                  description="A durable function checkpoints its progress: it survives crashes, and waits without running. This cannot be changed later."
                >
                  Durable execution
                </Header>
              }
            >
              <SpaceBetween size="l">
                <Toggle
                  checked={draft.isDurable}
                  onChange={({ detail }) => change({ isDurable: detail.checked })}
                >
                  Durable execution
                </Toggle>
                {draft.isDurable && (
                  <SpaceBetween size="l">
                    <FormField
                      label="Execution time-out in seconds"
                      description="How long an execution may take from its start, waits included."
                      constraintText={`1 to ${count(TIMEOUT_SECONDS_MAX)} (366 days).`}
                      errorText={shown(problems.timeout)}
                    >
                      <Input
                        type="number"
                        value={draft.executionTimeoutSeconds}
                        onChange={({ detail }) => change({ executionTimeoutSeconds: detail.value })}
                      />
                    </FormField>
                    <FormField
                      label="Retention in days"
                      description="How long an execution's history is kept after its end."
                      constraintText={`1 to ${RETENTION_DAYS_MAX}.`}
                      errorText={shown(problems.retention)}
                    >
                      <Input
                        type="number"
                        value={draft.retentionDays}
                        onChange={({ detail }) => change({ retentionDays: detail.value })}
                      />
                    </FormField>
                  </SpaceBetween>
                )}
              </SpaceBetween>
            </Container>
          </SpaceBetween>
        </Form>
      </form>
    </Page>
  );
}

const LANGUAGES: Readonly<Record<string, string>> = { python: "Python", nodejs: "JavaScript" };

function titleOf(template: Template): string {
  const language = LANGUAGES[family(template.runtime)];
  const isNamed = !language || template.title.includes(language);
  return isNamed ? template.title : `${template.title} in ${language}`;
}
