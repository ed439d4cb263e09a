import PropertyFilter, {
  type PropertyFilterProps,
} from "@cloudscape-design/components/property-filter";
import { useMemo } from "react";
import { statusText } from "../parts/Status";
import { localInstant, parseInstant } from "../text/instants";
import { type Filters, fromTokens, STATUSES, type Token, toTokens } from "./filters";

const local = (text: string): string => {
  const atMs = parseInstant(text);
  return atMs === null ? text : localInstant(atMs);
};

const PROPERTIES: PropertyFilterProps.FilteringProperty[] = [
  { key: "function", propertyLabel: "Function", groupValuesLabel: "Functions", operators: ["="] },
  { key: "version", propertyLabel: "Version", groupValuesLabel: "Versions", operators: ["="] },
  {
    key: "status",
    propertyLabel: "Status",
    groupValuesLabel: "Statuses",
    operators: [{ operator: "=", format: statusText }],
  },
  { key: "name", propertyLabel: "Name", groupValuesLabel: "Names", operators: ["^"] },
  {
    key: "started",
    propertyLabel: "Started",
    groupValuesLabel: "Times, such as 2026-01-31T14:00",
    operators: [
      { operator: ">=", format: local },
      { operator: "<=", format: local },
    ],
  },
];

interface Props {
  readonly filters: Filters;
  readonly functionNames: readonly string[];
  readonly countText: string;
  readonly onChange: (filters: Filters) => void;
}

/** The filter above the list of executions. */
export function ExecutionFilter({ filters, functionNames, countText, onChange }: Props) {
  const options = useMemo(
    () => [
      ...functionNames.map((value) => ({ propertyKey: "function", value })),
      ...STATUSES.map((value) => ({ propertyKey: "status", value, label: statusText(value) })),
      { propertyKey: "version", value: "$LATEST" },
    ],
    [functionNames],
  );
  return (
    <PropertyFilter
      query={{ tokens: toTokens(filters), operation: "and" }}
      onChange={({ detail }) => onChange(fromTokens(detail.tokens as readonly Token[]))}
      filteringProperties={PROPERTIES}
      filteringOptions={options}
      freeTextFiltering={{ operators: [":"], defaultOperator: ":" }}
      hideOperations
      countText={countText}
      filteringPlaceholder="Find executions by property, or by text in input and result"
      filteringAriaLabel="Find executions"
      expandToViewport
      i18nStrings={{
        allPropertiesLabel: "Input or result",
        groupPropertiesText: "Properties",
        groupValuesText: "Values",
        operatorsText: "Operators",
        operatorContainsText: "Contains",
        operatorEqualsText: "Equals",
        operatorStartsWithText: "Starts with",
        operatorGreaterOrEqualText: "At or after",
        operatorLessOrEqualText: "At or before",
        clearFiltersText: "Clear filters",
        applyActionText: "Apply",
        cancelActionText: "Cancel",
        editTokenHeader: "Edit the filter",
        propertyText: "Property",
        operatorText: "Operator",
        valueText: "Value",
        operationAndText: "and",
        operationOrText: "or",
        tokenLimitShowMore: "Show more",
        tokenLimitShowFewer: "Show fewer",
        enteredTextLabel: (text) => `Use: "${text}"`,
        dismissAriaLabel: "Close",
        removeTokenButtonAriaLabel: (token) => `Remove the filter ${token.propertyLabel}`,
        clearAriaLabel: "Clear",
      }}
    />
  );
}
