import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMemo, useState } from "react";
import { parsePayload, pretty, untyped } from "../text/payloads";
import { bytes, utf8Bytes } from "../text/sizes";
import { JsonView } from "./JsonView";

interface Props {
  readonly label: string;
  readonly text: string | null | undefined;
  /** The server left it out. */
  readonly isTruncated?: boolean;
  readonly none?: string;
}

const RAW_MAX = 50_000;

/** A payload: its size, a button to copy it, and the JSON in it as a tree or as text. */
export function Payload({ label, text, isTruncated = false, none = "None" }: Props) {
  const [isRaw, setRaw] = useState(false);
  const parsed = useMemo(() => (text ? parsePayload(text) : null), [text]);
  const plain = useMemo(() => (parsed?.isJson ? untyped(parsed.value) : null), [parsed]);
  if (isTruncated) return <Box color="text-body-secondary">Left out by the server</Box>;
  if (!text || parsed === null) return <Box color="text-body-secondary">{none}</Box>;
  return (
    <SpaceBetween size="xs">
      <SpaceBetween direction="horizontal" size="xs" alignItems="center">
        <Box color="text-body-secondary" fontSize="body-s">
          {bytes(utf8Bytes(text))}
        </Box>
        <CopyToClipboard
          variant="icon"
          textToCopy={text}
          copyButtonAriaLabel={`Copy: ${label}`}
          copySuccessText="Copied"
          copyErrorText="Could not be copied"
        />
        {parsed.isJson && (
          <Button variant="inline-link" onClick={() => setRaw(!isRaw)}>
            {isRaw ? "As a tree" : "As text"}
          </Button>
        )}
        {plain && !isRaw && (
          <Box color="text-body-secondary" fontSize="body-s">
            Shown without the types that the SDK wrote into it
          </Box>
        )}
      </SpaceBetween>
      {parsed.isJson && !isRaw ? (
        <JsonView value={plain ? plain.value : parsed.value} label={label} />
      ) : (
        <PlainText text={pretty(text)} label={label} />
      )}
    </SpaceBetween>
  );
}

/** Text as it is; a long one opens when asked. */
export function PlainText({ text, label }: { text: string; label: string }) {
  const [isWhole, setWhole] = useState(false);
  const isCut = !isWhole && text.length > RAW_MAX;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it. */}
      <pre className="plain" aria-label={label} role="region" tabIndex={0}>
        {isCut ? text.slice(0, RAW_MAX) : text}
      </pre>
      {isCut && (
        <Button variant="inline-link" onClick={() => setWhole(true)}>
          Show all {bytes(text.length)}
        </Button>
      )}
    </>
  );
}
