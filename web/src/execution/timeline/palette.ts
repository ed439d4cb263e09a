/** The timeline's colours: the design system's, so that they follow the look. */

import * as tokens from "@cloudscape-design/design-tokens";
import type { CSSProperties } from "react";

export const PALETTE = {
  "--ground": tokens.colorBackgroundContainerContent,
  "--line": tokens.colorBorderDividerDefault,
  "--focus": tokens.colorBorderItemFocused,
  "--hover": tokens.colorBackgroundDropdownItemHover,
  "--selected": tokens.colorBackgroundItemSelected,
  "--text-quiet": tokens.colorTextBodySecondary,
  "--bar-succeeded": tokens.colorChartsStatusPositive,
  "--bar-failed": tokens.colorChartsStatusHigh,
  "--bar-running": tokens.colorChartsStatusInfo,
  "--bar-again": tokens.colorChartsStatusMedium,
  "--bar-lost": tokens.colorChartsStatusNeutral,
  "--wait-ground": `color-mix(in srgb, ${tokens.colorChartsStatusNeutral} 22%, transparent)`,
  "--callback-ground": `color-mix(in srgb, ${tokens.colorChartsStatusMedium} 22%, transparent)`,
  "--chained-ground": `color-mix(in srgb, ${tokens.colorChartsStatusInfo} 22%, transparent)`,
} as CSSProperties;
