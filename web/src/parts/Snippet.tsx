import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";

interface Props {
  readonly text: string;
  /** What is shown in its place, where it is long. */
  readonly shown?: string;
  readonly label?: string;
}

/** A short text to copy: a command, an ARN, an id. */
export function Snippet({ text, shown = text, label = "Copy" }: Props) {
  return (
    <CopyToClipboard
      variant="inline"
      textToCopy={text}
      textToDisplay={shown}
      copyButtonAriaLabel={`${label}: ${text}`}
      copySuccessText="Copied"
      copyErrorText="Could not be copied; select the text"
    />
  );
}
