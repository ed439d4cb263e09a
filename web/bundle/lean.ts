/** What keeps the built page small: its budget is 700 KB, compressed. */

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** Writes NAME.gz beside each file worth it, so that the server compresses nothing. */
export function precompress(): Plugin {
  return {
    name: "precompress",
    apply: "build",
    writeBundle(options, bundle) {
      const folder = options.dir ?? ".";
      for (const fileName of Object.keys(bundle)) {
        if (!/\.(js|css|svg)$/.test(fileName)) continue;
        const file = join(folder, fileName);
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
      }
    },
  };
}

/** Parts of the design system that no page reaches, and why. Reached all the same, they say so. */
const LEFT_OUT: readonly (readonly [RegExp, string])[] = [
  [/^intl-messageformat$/, "formats the messages of an I18nProvider, which this page has not"],
  [/\/list\/internal(\.js)?$/, "a list with drag and drop, in a drawer of the AWS console's own"],
];

export function leaveOut(): Plugin {
  return {
    name: "leave-out",
    enforce: "pre",
    resolveId: (source) =>
      LEFT_OUT.some(([pattern]) => pattern.test(source)) ? `\0left-out:${source}` : null,
    load: (id) =>
      id.startsWith("\0left-out:")
        ? `export default function LeftOut() { throw new Error(${JSON.stringify(`${id.slice(1)}: not in this build`)}); }`
        : null,
  };
}

const DESIGN_SYSTEM = /node_modules\/@cloudscape-design\/(components|component-toolkit)\//;
const CLASS_NAME = /\bawsui_[A-Za-z0-9_-]+?_[a-z0-9]{5}_[a-z0-9]{5}_\d+/g;
const NAME_LENGTH = 6;

/**
 * Makes the design system's files shorter without a change to what they say: class names of 40
 * letters become six (by their hash, so that a file's content depends on the file alone), values
 * that stand in for variables which are always defined go, and so do its inlined fonts, 140 KB,
 * in whose place src/frame/page.css has one.
 */
export function lean(): Plugin {
  const shortened = new Map<string, string>();
  const theme = new URL(
    "../node_modules/@cloudscape-design/components/internal/base-theme/styles.scoped.css",
    import.meta.url,
  );
  const defined = new Set(readFileSync(theme, "utf8").match(/--[\w-]+(?=:)/g) ?? []);
  const shorten = (name: string): string => {
    const short = `c${createHash("sha256").update(name).digest("hex").slice(0, NAME_LENGTH)}`;
    const other = shortened.get(short) ?? name;
    if (other !== name) throw new Error(`${name} and ${other} have one short name: lengthen it`);
    shortened.set(short, name);
    return short;
  };
  return {
    name: "lean",
    apply: "build",
    enforce: "pre",
    transform(code, id) {
      if (id.includes("@cloudscape-design/global-styles/index.css")) {
        return { code: code.replace(/@font-face\s*\{[^}]*\}/g, ""), map: null };
      }
      if (!DESIGN_SYSTEM.test(id)) return null;
      const short = code.replace(CLASS_NAME, shorten);
      return { code: id.endsWith(".css") ? withoutFallbacks(short, defined) : short, map: null };
    },
  };
}

/** Returns `css` with `var(--a, b)` as `var(--a)` for each variable that is defined in any case. */
function withoutFallbacks(css: string, defined: ReadonlySet<string>): string {
  const USE = /var\((--[\w-]+),/g;
  let lean = "";
  let copied = 0;
  for (let match = USE.exec(css); match; match = USE.exec(css)) {
    if (!defined.has(match[1] ?? "")) continue;
    let end = USE.lastIndex;
    for (let depth = 1; depth > 0; end += 1) {
      if (css[end] === "(") depth += 1;
      else if (css[end] === ")") depth -= 1;
    }
    lean += `${css.slice(copied, match.index)}var(${match[1]})`;
    copied = end;
    USE.lastIndex = end;
  }
  return lean + css.slice(copied);
}
