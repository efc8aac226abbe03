import type { TableShape } from '../../../plan/plan.ts';
import { quoteIdent } from '../../../sql/quote.ts';
import type { TableFacts } from '../../5-inspect/read-tables.ts';

/** What a round would read or write wrongly in a table of the source; empty where the plan fits. Facts are undefined where there is no such table. */
export function sourceFaults(shape: TableShape, facts: TableFacts | undefined): readonly string[] {
  if (facts === undefined) return [GONE];
  return [...shapeFaults(shape, facts), ...newColumns(shape, facts)];
}

/** The same for a table of a target. */
export function targetFaults(shape: TableShape, facts: TableFacts | undefined): readonly string[] {
  if (facts === undefined) return [GONE];
  return [...shapeFaults(shape, facts), ...generatedColumns(shape, facts), ...unfilledColumns(shape, facts)];
}

const GONE = 'it does not exist';
const KINDS: Readonly<Record<string, TableShape['kind']>> = { r: 'table', p: 'partitioned', v: 'view', m: 'materialized view', f: 'foreign table' };

function shapeFaults(shape: TableShape, facts: TableFacts): readonly string[] {
  const kind = KINDS[facts.kind] ?? 'of an unknown kind';
  const columns = Object.entries(shape.columns).flatMap(([name, type]) => {
    const found = facts.columns.get(name);
    if (found === undefined) return [`column ${quoteIdent(name)} is gone`];
    return found.type === type ? [] : [`column ${quoteIdent(name)} is ${found.type} now, not ${type}`];
  });
  const key = [...shape.key].sort();
  const hasKey = key.length === 0 || facts.uniqueKeys.some((unique) => JSON.stringify(unique) === JSON.stringify(key));
  return [
    ...(kind === shape.kind ? [] : [`it is ${kind} now, not ${shape.kind}`]),
    ...columns,
    // A column that is gone has taken its index with it.
    ...(hasKey || columns.length > 0 ? [] : [`no unique index is left on its key (${key.map(quoteIdent).join(', ')})`]),
  ];
}

/** What stands in a new column would be missing at the targets, and no later change would say so. */
function newColumns(shape: TableShape, facts: TableFacts): readonly string[] {
  if (shape.takesNew !== true) return [];
  const known = new Set([...Object.keys(shape.columns), ...(shape.unused ?? [])]);
  return [...facts.columns.keys()].filter((name) => !known.has(name)).map((name) => `column ${quoteIdent(name)} is new`);
}

function generatedColumns(shape: TableShape, facts: TableFacts): readonly string[] {
  return Object.keys(shape.columns).flatMap((name) => (facts.columns.get(name)?.isGenerated === true ? [`column ${quoteIdent(name)} is generated now`] : []));
}

/** Columns that no round writes and that would have to be written. */
function unfilledColumns(shape: TableShape, facts: TableFacts): readonly string[] {
  return [...facts.columns].flatMap(([name, { notNull, hasDefault }]) =>
    notNull && !hasDefault && !Object.hasOwn(shape.columns, name)
      ? [`column ${quoteIdent(name)} is NOT NULL without a default, and the plan does not write it`]
      : [],
  );
}
