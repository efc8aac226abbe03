import { displayName } from '../sql/quote.ts';
import { contentHash } from './canonical.ts';
import type { ConflictRule, HandlerRule } from './conflict-rule.ts';
import type { PlanCopyTable } from './plan-full-copy.ts';
import type { Plan, PlanMasterTable, PlanSync, PlanTable } from './plan.ts';
import type { UniqueRule } from './unique-rule.ts';

/**
 * What a sync does with a table, as far as somebody has to agree to it: what leaves the source, and how it is decided. `apply` writes it
 * down beside the objects, so that a later plan can say what would change. A handler is known by the hash of what it does.
 */
export type Terms = {
  /** Target's column -> the source's column, or the expression in parentheses. */
  readonly columns: Readonly<Record<string, string>>;
  readonly where: string | null;
  /** The last three of a multi-master sync; null elsewhere. */
  readonly rule: unknown;
  readonly unique: unknown;
  readonly exception: string | null;
  /** Columns whose values the record of conflicts does not show. */
  readonly mask: readonly string[];
};

/** The terms of every table that a database is the source of, or a member with, by `sync/table`. */
export function termsOf(plan: Plan, database: string): ReadonlyMap<string, Terms> {
  const mine = Object.entries(plan.syncs).filter(([, sync]) => sourcesIn(sync).includes(database));
  return new Map(mine.flatMap(([name, sync]) => tableTerms(sync).map(([table, terms]) => [`${name}/${table}`, terms] as const)));
}

/** Two terms with one hash are the same. */
export function termsHash(terms: Terms): string {
  return contentHash(terms);
}

/** As `sarrio.installed` keeps them. */
export const TERMS = 'terms';

function sourcesIn(sync: PlanSync): readonly string[] {
  return sync.mode === 'multi-master' ? sync.members : [sync.source];
}

function tableTerms(sync: PlanSync): readonly (readonly [string, Terms])[] {
  if (sync.mode === 'multi-master') return sync.tables.map((table) => [displayName(table.source), masterTerms(table)]);
  return sync.tables.map((table) => [displayName(table.source), { ...flowTerms(table), rule: null, unique: null, exception: null, mask: [] }]);
}

function masterTerms(table: PlanMasterTable): Terms {
  const { rule, unique, exception, mask = [] } = table;
  return { ...flowTerms(table), rule: ruleTerms(rule), unique: ruleTerms(unique), exception: exception?.sourceHash ?? null, mask };
}

function flowTerms({ columns, where }: PlanTable | PlanCopyTable): Pick<Terms, 'columns' | 'where'> {
  return { columns: Object.fromEntries(columns.map(({ name, from }) => [name, 'column' in from ? from.column : `(${from.expression})`])), where };
}

/** Where a handler's file lies does not matter, what it does does. */
function ruleTerms(rule: ConflictRule | UniqueRule | HandlerRule | null): unknown {
  return rule !== null && 'sourceHash' in rule ? { strategy: rule.strategy, does: rule.sourceHash } : rule;
}
