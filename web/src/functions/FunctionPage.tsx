import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Container from "@cloudscape-design/components/container";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Tabs from "@cloudscape-design/components/tabs";
import { Suspense, useState } from "react";
import { deleteFunction, getFunction, publishVersion } from "../api/functions";
import type { FunctionDetails } from "../api/lambda";
import { lazyPage } from "../frame/lazyPage";
import { ConfirmModal } from "../parts/ConfirmModal";
import { Instant } from "../parts/Instant";
import { LoadError } from "../parts/LoadError";
import { Page } from "../parts/Page";
import { Snippet } from "../parts/Snippet";
import { Status } from "../parts/Status";
import { showFlash } from "../state/flash";
import { places, useGo } from "../state/places";
import { useResource } from "../state/useResource";
import { bytes, counted } from "../text/sizes";
import { span } from "../text/spans";
import { AliasesTab } from "./AliasesTab";
import { ConfigurationTab } from "./ConfigurationTab";
import { FunctionExecutionsTab } from "./FunctionExecutionsTab";
import { TagsTab } from "./TagsTab";
import { TestTab } from "./TestTab";
import { VersionsTab } from "./VersionsTab";

const CodeTab = lazyPage(() => import("./CodeTab"));

/** One function: its code, its settings, and a place to run it. */
export default function FunctionPage({ name, tab }: { name: string; tab: string }) {
  const details = useResource((signal) => getFunction(name, null, signal), [name]);
  const go = useGo();
  const [asked, setAsked] = useState<"delete" | "publish" | null>(null);
  const found = details.data;

  async function confirm(): Promise<void> {
    if (asked === "delete") {
      await deleteFunction(name);
      showFlash({ type: "success", header: `Function ${name} is deleted` });
      go(places.functions);
      return;
    }
    const version = await publishVersion(name, "");
    showFlash({ type: "success", header: `Version ${version.Version} of ${name} is published` });
    go(places.function(name, "versions"));
  }

  return (
    <Page
      title={name}
      crumbs={[
        { text: "Functions", place: places.functions },
        { text: name, place: places.function(name) },
      ]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <ButtonDropdown
            items={[
              { id: "publish", text: "Publish new version" },
              { id: "delete", text: "Delete function" },
            ]}
            onItemClick={({ detail }) => setAsked(detail.id as "delete" | "publish")}
          >
            Actions
          </ButtonDropdown>
          {tab !== "test" && (
            <Button variant="primary" onClick={() => go(places.function(name, "test"))}>
              Test
            </Button>
          )}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="l">
        <LoadError what={`the function ${name}`} error={details.error} onRetry={details.reload} />
        {!found && details.isLoading && <Spinner size="large" />}
        {found && (
          <SpaceBetween size="l">
            <Summary details={found} />
            <Tabs
              ariaLabel="Parts of the function"
              activeTabId={tab}
              onChange={({ detail }) => go(places.function(name, detail.activeTabId))}
              tabs={[
                {
                  id: "code",
                  label: "Code",
                  content: (
                    <Suspense fallback={<Spinner />}>
                      <CodeTab details={found} onDeployed={details.reload} />
                    </Suspense>
                  ),
                },
                { id: "test", label: "Test", content: <TestTab details={found} /> },
                {
                  id: "configuration",
                  label: "Configuration",
                  content: <ConfigurationTab details={found} onChanged={details.reload} />,
                },
                { id: "versions", label: "Versions", content: <VersionsTab name={name} /> },
                { id: "aliases", label: "Aliases", content: <AliasesTab name={name} /> },
                {
                  id: "tags",
                  label: "Tags",
                  content: <TagsTab arn={found.Configuration.FunctionArn} />,
                },
                {
                  id: "executions",
                  label: "Executions",
                  content: <FunctionExecutionsTab name={name} />,
                },
              ]}
            />
          </SpaceBetween>
        )}
      </SpaceBetween>
      {asked && (
        <ConfirmModal
          title={asked === "delete" ? `Delete ${name}?` : `Publish a version of ${name}?`}
          verb={asked === "delete" ? "Delete" : "Publish"}
          onConfirm={confirm}
          onClose={() => setAsked(null)}
        >
          {asked === "delete"
            ? "The function goes with all its versions and aliases. Executions that run now are not invoked again."
            : "A version is the code and configuration of $LATEST as they are now; it never changes. Running executions stay on the version they began with."}
        </ConfirmModal>
      )}
    </Page>
  );
}

function Summary({ details }: { details: FunctionDetails }) {
  const { Configuration: configuration } = details;
  const durable = configuration.DurableConfig;
  return (
    <Container>
      <KeyValuePairs
        columns={4}
        items={[
          { label: "State", value: <Status status={configuration.State ?? "Active"} /> },
          { label: "Runtime", value: configuration.Runtime ?? "-" },
          { label: "Handler", value: configuration.Handler ?? "-" },
          {
            label: "Durable execution",
            value: durable
              ? `Yes: up to ${span((durable.ExecutionTimeout ?? 0) * 1_000)}, kept ${counted(durable.RetentionPeriodInDays ?? 14, "day")}`
              : "No",
          },
          { label: "Code size", value: bytes(configuration.CodeSize ?? 0) },
          {
            label: "Last modified",
            value: (
              <Instant
                atMs={configuration.LastModified ? Date.parse(configuration.LastModified) : null}
              />
            ),
          },
          { label: "Description", value: configuration.Description || "-" },
          {
            label: "Function ARN",
            value: <Snippet text={configuration.FunctionArn} label="Copy the ARN" />,
          },
        ]}
      />
    </Container>
  );
}
