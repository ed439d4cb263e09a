import "./code.css";
import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useState } from "react";
import { fetchCode, updateCode } from "../api/functions";
import type { FunctionDetails } from "../api/lambda";
import CodeEditor from "../parts/CodeEditor";
import { Empty } from "../parts/Empty";
import { LoadError } from "../parts/LoadError";
import { showError, showFlash } from "../state/flash";
import { useUnsavedChanges } from "../state/guard";
import { useQueryState } from "../state/places";
import { useResource } from "../state/useResource";
import { bytes } from "../text/sizes";
import { closeArchive, handlerFile, openArchive, type SourceFile } from "./archive";
import { keepDraft, useDraft } from "./drafts";
import { FileTree } from "./FileTree";

interface Props {
  readonly details: FunctionDetails;
  readonly onDeployed: () => void;
}

/** The function's files: edit them, then deploy them as the new $LATEST. */
export default function CodeTab({ details, onDeployed }: Props) {
  const {
    FunctionName: name,
    CodeSha256: hash = "",
    Handler: handler = "",
  } = details.Configuration;
  const location = details.Code?.Location;
  const code = useResource(
    async (signal) => (location ? openArchive(await fetchCode(location, signal)) : []),
    [name, hash],
  );
  const draft = useDraft(name);
  const [chosen, setChosen] = useQueryState("file", "");
  const [isBusy, setBusy] = useState(false);
  useUnsavedChanges(draft !== undefined);
  const files = draft?.files ?? code.data ?? [];
  const file =
    files.find((one) => one.path === chosen) ??
    files.find((one) => one.path === handlerFile(handler, files));

  function change(next: readonly SourceFile[]): void {
    const isSame =
      code.data !== undefined &&
      next.length === code.data.length &&
      next.every(
        (one, at) => code.data?.[at]?.path === one.path && code.data[at]?.text === one.text,
      );
    keepDraft(name, isSame ? null : { files: next, basedOn: draft?.basedOn ?? hash });
  }

  async function deploy(): Promise<void> {
    if (!draft) return;
    setBusy(true);
    try {
      await updateCode(name, closeArchive(draft.files));
      keepDraft(name, null);
      showFlash({
        type: "success",
        header: `${name} is deployed as $LATEST`,
        content:
          "New executions run the new code; those under way stay on the version they began with.",
      });
      code.set([...draft.files]);
      onDeployed();
    } catch (error) {
      showError(`${name} was not deployed`, error);
    }
    setBusy(false);
  }

  if (!code.data && code.isLoading && !draft) return <Spinner size="large" />;
  return (
    <SpaceBetween size="m">
      <LoadError what="the code" error={code.error} onRetry={code.reload} />
      {draft && draft.basedOn !== hash && (
        <Alert type="warning" header="The function was deployed by somebody else in the meantime">
          Your changes were made to the code before. Deploy replaces what is there now; Discard
          shows it.
        </Alert>
      )}
      <Container
        disableContentPaddings
        header={
          <Header
            variant="h2"
            description={
              draft ? (
                <StatusIndicator type="pending">Changed, not deployed</StatusIndicator>
              ) : (
                "This is what $LATEST runs. Ctrl+S deploys."
              )
            }
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button
                  disabled={!draft}
                  disabledReason="Nothing is changed"
                  onClick={() => keepDraft(name, null)}
                >
                  Discard
                </Button>
                <Button
                  variant="primary"
                  loading={isBusy}
                  disabled={!draft}
                  disabledReason="Nothing is changed"
                  onClick={() => void deploy()}
                >
                  Deploy
                </Button>
              </SpaceBetween>
            }
          >
            Code source
          </Header>
        }
      >
        {files.length === 0 ? (
          <Empty
            title="This function's code is not a zip"
            command={`perdure deploy PATH --name ${name}`}
          >
            Functions that run from a folder or behind an HTTP endpoint are edited where they are.
          </Empty>
        ) : (
          <div className="code">
            <FileTree
              files={files}
              deployed={code.data ?? []}
              selected={file?.path ?? ""}
              onSelect={setChosen}
              onChange={change}
            />
            <div className="code-editor">
              {file?.text === null && (
                <Box padding="l" color="text-body-secondary">
                  {file.path} is no text ({bytes(file.data.length)}); it is kept as it is.
                </Box>
              )}
              {file && file.text !== null && (
                <CodeEditor
                  key={file.path}
                  path={file.path}
                  text={file.text}
                  label={`Code of ${file.path}`}
                  onSave={() => void deploy()}
                  onChange={(text) =>
                    change(files.map((one) => (one.path === file.path ? { ...one, text } : one)))
                  }
                />
              )}
            </div>
          </div>
        )}
      </Container>
    </SpaceBetween>
  );
}
