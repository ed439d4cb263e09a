import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { deleteFunction, listVersions, publishVersion } from "../api/functions";
import { ConfirmModal } from "../parts/ConfirmModal";
import { Instant } from "../parts/Instant";
import { LoadError } from "../parts/LoadError";
import { showFlash } from "../state/flash";
import { useResource } from "../state/useResource";
import { bytes } from "../text/sizes";

/** The function's versions. */
export function VersionsTab({ name }: { name: string }) {
  const versions = useResource((signal) => listVersions(name, signal), [name]);
  const [asked, setAsked] = useState<"publish" | { readonly version: string } | null>(null);
  const [description, setDescription] = useState("");

  async function confirm(): Promise<void> {
    if (asked === "publish") {
      const published = await publishVersion(name, description);
      showFlash({ type: "success", header: `Version ${published.Version} is published` });
      setDescription("");
    } else if (asked) {
      await deleteFunction(name, asked.version);
      showFlash({ type: "success", header: `Version ${asked.version} is deleted` });
    }
    versions.reload();
  }

  return (
    <SpaceBetween size="m">
      <LoadError what="the versions" error={versions.error} onRetry={versions.reload} />
      <Table
        variant="borderless"
        items={[...(versions.data ?? [])].reverse()}
        trackBy={(one) => one.Version ?? ""}
        loading={versions.isLoading && !versions.data}
        loadingText="Reading the versions"
        ariaLabels={{ tableLabel: "Versions" }}
        header={
          <Header
            variant="h2"
            description="A version never changes; executions stay on the version they began with."
            actions={<Button onClick={() => setAsked("publish")}>Publish new version</Button>}
          >
            Versions
          </Header>
        }
        columnDefinitions={[
          { id: "version", header: "Version", cell: (one) => one.Version, isRowHeader: true },
          { id: "description", header: "Description", cell: (one) => one.Description || "-" },
          { id: "runtime", header: "Runtime", cell: (one) => one.Runtime ?? "-" },
          { id: "size", header: "Code size", cell: (one) => bytes(one.CodeSize ?? 0) },
          {
            id: "modified",
            header: "Last modified",
            cell: (one) => (
              <Instant atMs={one.LastModified ? Date.parse(one.LastModified) : null} />
            ),
          },
          {
            id: "actions",
            header: "Actions",
            cell: (one) =>
              one.Version && one.Version !== "$LATEST" ? (
                <Button
                  variant="inline-link"
                  ariaLabel={`Delete version ${one.Version}`}
                  onClick={() => setAsked({ version: one.Version ?? "" })}
                >
                  Delete
                </Button>
              ) : (
                "-"
              ),
          },
        ]}
      />
      {asked && (
        <ConfirmModal
          title={
            asked === "publish" ? "Publish a new version?" : `Delete version ${asked.version}?`
          }
          verb={asked === "publish" ? "Publish" : "Delete"}
          onConfirm={confirm}
          onClose={() => setAsked(null)}
        >
          {asked === "publish" ? (
            <FormField label="Description (optional)">
              <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
            </FormField>
          ) : (
            "Executions of this version are not invoked again. A version that an alias points to cannot be deleted."
          )}
        </ConfirmModal>
      )}
    </SpaceBetween>
  );
}
