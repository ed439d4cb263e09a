import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import Box from "@cloudscape-design/components/box";
import Input from "@cloudscape-design/components/input";
import type { Pair } from "../text/pairs";

interface Props {
  readonly noun: string;
  readonly pairs: readonly Pair[];
  readonly problem: string | null;
  readonly onChange: (pairs: readonly Pair[]) => void;
}

/** A list of names and values to edit. */
export function PairsEditor({ noun, pairs, problem, onChange }: Props) {
  const put = (at: number, change: Partial<Pair>): void =>
    onChange(pairs.map((pair, index) => (index === at ? { ...pair, ...change } : pair)));
  return (
    <>
      <AttributeEditor
        items={[...pairs]}
        empty={`No ${noun}s yet.`}
        addButtonText={`Add ${noun}`}
        removeButtonText="Remove"
        removeButtonAriaLabel={(pair) => `Remove ${pair.name}`}
        definition={[
          {
            label: "Key",
            control: (pair, at) => (
              <Input
                value={pair.name}
                ariaLabel={`Key ${at + 1}`}
                onChange={({ detail }) => put(at, { name: detail.value })}
              />
            ),
          },
          {
            label: "Value",
            control: (pair, at) => (
              <Input
                value={pair.value}
                ariaLabel={`Value ${at + 1}`}
                onChange={({ detail }) => put(at, { value: detail.value })}
              />
            ),
          },
        ]}
        onAddButtonClick={() => onChange([...pairs, { name: "", value: "" }])}
        onRemoveButtonClick={({ detail }) =>
          onChange(pairs.filter((_, at) => at !== detail.itemIndex))
        }
      />
      {problem && <Box color="text-status-error">{problem}</Box>}
    </>
  );
}
