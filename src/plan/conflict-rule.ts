/** How conflicts of a table are decided, as the plan holds it: a strategy by name with what it needs to know. */
export type ConflictRule = NamedRule | HandlerRule;

/** Decided by a strategy. */
export type NamedRule = PlainRule | ColumnsRule | CountersRule;

/** One version wins as a whole, by who changed what and when alone. */
export type PlainRule =
  | { readonly strategy: 'last-update-wins' | 'first-update-wins' | 'skip' | 'stop' }
  | { readonly strategy: 'prefer'; readonly databases: readonly string[] };

/** The row is made of all versions, column by column. */
export type ColumnsRule = {
  readonly strategy: 'columns';
  /** For a column that several have changed, and for rows that were inserted or deleted. */
  readonly otherwise: PlainRule;
};

/** In these columns the changes of all versions add up. */
export type CountersRule = {
  readonly strategy: 'counters';
  readonly counters: readonly string[];
  /** For the rest of the row, and for rows that were inserted or deleted. */
  readonly otherwise: PlainRule | ColumnsRule;
};

/** A function of the config, taken out of it and reviewed as a file of its own. */
export type HandlerRule = {
  readonly strategy: 'handler';
  /** Path under `generated/`, with forward slashes. */
  readonly file: string;
  /** What the file exports. */
  readonly export: string;
  /** SHA-256 (hex) of the function and of all that it uses, as written in the config, without comments and layout: the same decisions. */
  readonly sourceHash: string;
  /** SHA-256 (hex) of the file with LF line ends: the same bytes. */
  readonly fileHash: string;
  /** It asks for the last common row, for which capture keeps the rows that changes replace. Only where it does. */
  readonly common?: true;
};

/** What capture records of an UPDATE beside the key, for rules that ask for it: which columns changed, and by how much these counters. */
export type Recorded = { readonly counters: readonly string[] };

/** Null for rules that need to know the key alone. */
export function recordedFor(rule: ConflictRule | null): Recorded | null {
  if (rule?.strategy === 'counters') return { counters: rule.counters };
  return rule?.strategy === 'columns' ? { counters: [] } : null;
}

/** Whether capture keeps the row that a change replaces. */
export function recordsBefore(rule: ConflictRule | null): boolean {
  return rule?.strategy === 'handler' && rule.common === true;
}

/** The rule that decides in the end, where others leave something open. */
export function lastRule(rule: ConflictRule): PlainRule | HandlerRule {
  return rule.strategy === 'columns' || rule.strategy === 'counters' ? lastRule(rule.otherwise) : rule;
}
