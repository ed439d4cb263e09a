import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { deleteAlias, listAliases, listVersions } from "../api/functions";
import type { Alias } from "../api/lambda";
import { ConfirmModal } from "../parts/ConfirmModal";
import { Empty } from "../parts/Empty";
import { LoadError } from "../parts/LoadError";
import { showFlash } from "../state/flash";
import { useResource } from "../state/useResource";
import { AliasModal } from "./AliasModal";

type Asked = { readonly what: "edit" | "delete"; readonly alias: Alias | null };

/** The function's aliases, and how they share out invocations. */
export function AliasesTab({ name }: { name: string }) {
  const aliases = useResource((signal) => listAliases(name, signal), [name]);
  const versions = useResource((signal) => listVersions(name, signal), [name]);
  const [asked, setAsked] = useState<Asked | null>(null);
  const published = (versions.data ?? []).map((one) => one.Version ?? "");
  return (
    <SpaceBetween size="m">
      <LoadError what="the aliases" error={aliases.error} onRetry={aliases.reload} />
      <Table
        variant="borderless"
        items={aliases.data ?? []}
        trackBy="Name"
        loading={aliases.isLoading && !aliases.data}
        loadingText="Reading the aliases"
        ariaLabels={{ tableLabel: "Aliases" }}
        header={
          <Header
            variant="h2"
            description="A name for a version, or for two that share new invocations by weight."
            actions={
              <Button onClick={() => setAsked({ what: "edit", alias: null })}>Create alias</Button>
            }
          >
            Aliases
          </Header>
        }
        empty={
          <Empty title="No aliases yet" command={`perdure invoke ${name}:live '{}'`}>
            Publish a version, then give it a name such as live: callers stay, versions change.
          </Empty>
        }
        columnDefinitions={[
          { id: "name", header: "Alias", cell: (one) => one.Name, isRowHeader: true },
          { id: "versions", header: "Versions", cell: (one) => sharesOf(one) },
          { id: "description", header: "Description", cell: (one) => one.Description || "-" },
          {
            id: "actions",
            header: "Actions",
            cell: (one) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button
                  variant="inline-link"
                  ariaLabel={`Edit alias ${one.Name}`}
                  onClick={() => setAsked({ what: "edit", alias: one })}
                >
                  Edit
                </Button>
                <Button
                  variant="inline-link"
                  ariaLabel={`Delete alias ${one.Name}`}
                  onClick={() => setAsked({ what: "delete", alias: one })}
                >
                  Delete
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
      />
      {asked?.what === "edit" && (
        <AliasModal
          name={name}
          alias={asked.alias}
          versions={published}
          onDone={aliases.reload}
          onClose={() => setAsked(null)}
        />
      )}
      {asked?.what === "delete" && asked.alias && (
        <ConfirmModal
          title={`Delete alias ${asked.alias.Name}?`}
          verb="Delete"
          onConfirm={async () => {
            await deleteAlias(name, asked.alias?.Name ?? "");
            showFlash({ type: "success", header: `Alias ${asked.alias?.Name} is deleted` });
            aliases.reload();
          }}
          onClose={() => setAsked(null)}
        >
          Who invokes it by this name is refused from now on.
        </ConfirmModal>
      )}
    </SpaceBetween>
  );
}

function sharesOf(alias: Alias): string {
  const others = Object.entries(alias.RoutingConfig?.AdditionalVersionWeights ?? {});
  const rest = others.reduce((left, [, weight]) => left - weight, 1);
  const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;
  if (others.length === 0) return alias.FunctionVersion;
  return [[alias.FunctionVersion, rest] as const, ...others]
    .map(([version, share]) => `${version}: ${percent(share)}`)
    .join(", ");
}
