import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";

interface Props {
  readonly what: string;
  readonly error: Error | null;
  readonly onRetry: () => void;
}

/** What could not be read, why, and a button to try again. Nothing, where nothing is wrong. */
export function LoadError({ what, error, onRetry }: Props) {
  if (error === null) return null;
  return (
    <Alert
      type="error"
      header={`Could not read ${what}`}
      action={<Button onClick={onRetry}>Try again</Button>}
    >
      {error.message}
    </Alert>
  );
}
