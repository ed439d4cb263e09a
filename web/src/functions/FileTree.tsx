import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import * as tokens from "@cloudscape-design/design-tokens";
import { type CSSProperties, useState } from "react";
import { ConfirmModal } from "../parts/ConfirmModal";
import { pathProblem, type SourceFile, textFile } from "./archive";

interface Props {
  readonly files: readonly SourceFile[];
  /** What is deployed: others are marked as changed. */
  readonly deployed: readonly SourceFile[];
  readonly selected: string;
  readonly onSelect: (path: string) => void;
  readonly onChange: (files: readonly SourceFile[]) => void;
}

const COLOURS = {
  "--code-line": tokens.colorBorderDividerDefault,
  "--code-selected": tokens.colorBackgroundItemSelected,
  "--code-focus": tokens.colorBorderItemFocused,
} as CSSProperties;

/** The files of a function: choose, add, remove. */
export function FileTree({ files, deployed, selected, onSelect, onChange }: Props) {
  const [asked, setAsked] = useState<"add" | "remove" | null>(null);
  const [path, setPath] = useState("");
  const problem = pathProblem(path.trim(), files);
  const isChanged = (file: SourceFile): boolean =>
    deployed.find((one) => one.path === file.path)?.text !== file.text;

  async function confirm(): Promise<void> {
    if (asked === "add") {
      const added = [...files, textFile(path.trim(), "")];
      onChange(added.sort((a, b) => (a.path < b.path ? -1 : 1)));
      onSelect(path.trim());
      setPath("");
      return;
    }
    onChange(files.filter((file) => file.path !== selected));
    onSelect("");
  }

  return (
    <nav className="code-files" aria-label="Files of the function" style={COLOURS}>
      <SpaceBetween size="xs">
        <ul>
          {files.map((file) => (
            <li key={file.path}>
              <button
                type="button"
                className="code-file"
                aria-current={file.path === selected}
                onClick={() => onSelect(file.path)}
              >
                {file.path}
                {isChanged(file) && (
                  <>
                    {" "}
                    <span aria-hidden="true">●</span>
                    <span className="visually-hidden">changed</span>
                  </>
                )}
              </button>
            </li>
          ))}
        </ul>
        <SpaceBetween direction="horizontal" size="xxs">
          <Button
            variant="icon"
            iconName="add-plus"
            ariaLabel="Add a file"
            onClick={() => setAsked("add")}
          />
          <Button
            variant="icon"
            iconName="remove"
            ariaLabel={`Remove ${selected}`}
            disabled={files.length < 2}
            onClick={() => setAsked("remove")}
          />
        </SpaceBetween>
      </SpaceBetween>
      {asked && (
        <ConfirmModal
          title={asked === "add" ? "Add a file" : `Remove ${selected}?`}
          verb={asked === "add" ? "Add" : "Remove"}
          isDisabled={asked === "add" && problem !== null}
          onConfirm={confirm}
          onClose={() => setAsked(null)}
        >
          {asked === "add" ? (
            <FormField label="Path" errorText={path ? problem : null}>
              <Input
                value={path}
                placeholder="lib/prices.py"
                autoFocus
                onChange={({ detail }) => setPath(detail.value)}
              />
            </FormField>
          ) : (
            "The file is gone with the next deployment; Discard brings it back until then."
          )}
        </ConfirmModal>
      )}
    </nav>
  );
}
