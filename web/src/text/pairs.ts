/** Names and values, as a list that is edited. Pure. */

export interface Pair {
  readonly name: string;
  readonly value: string;
}

/** Returns the members of a record, sorted by name. */
export function pairsOf(record: Readonly<Record<string, string>>): Pair[] {
  return Object.entries(record)
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function recordOf(pairs: readonly Pair[]): Record<string, string> {
  return Object.fromEntries(pairs.map(({ name, value }) => [name, value]));
}

/** Returns what is wrong with the names, or null. */
export function pairsProblem(
  pairs: readonly Pair[],
  pattern: RegExp,
  words: string,
): string | null {
  const names = pairs.map((pair) => pair.name);
  const bad = names.find((name) => !pattern.test(name));
  if (bad !== undefined) return `${bad === "" ? "a name is missing" : bad}: ${words}`;
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  return twice === undefined ? null : `${twice} is there twice`;
}
