import { failure, SarrioError } from '../../plan/errors.ts';
import { namedFlows } from '../../plan/flows.ts';
import type { Generated } from '../../plan/generated-files.ts';
import { displayName } from '../../sql/quote.ts';
import { checkDatabases, LIVE_CHECKS } from '../5-inspect/checks/checks.ts';
import { inspectDatabases } from '../5-inspect/inspect.ts';
import { readSchema } from '../5-inspect/read-schema.ts';
import { blockFinder } from '../6-diff/blocks.ts';
import { diff } from '../6-diff/diff.ts';
import type { ChangePlan } from '../6-diff/step.ts';
import { applySteps } from '../7-apply/apply-steps.ts';
import { findCaptures } from './close-members.ts';
import { forgetRecord, markEnded, markUnverified, restTables } from './migrate.sql.ts';
import { type Migrating, sessionOf } from './migrating.ts';
import type { Rehearsal } from './rehearse.ts';
import { tellAll } from './tell-all.ts';

/** What the databases need to be as the plan says. @throws SarrioError where the plan does not fit them. */
export async function changesFor(migrating: Pick<Migrating, 'sessions'>, { plan, files }: Generated): Promise<ChangePlan> {
  const inspections = await inspectDatabases({ plan, sessions: migrating.sessions });
  const faults = checkDatabases(plan, inspections, LIVE_CHECKS).filter(({ severity }) => severity === 'error');
  if (faults.length > 0) throw new SarrioError({ exit: 'refused', diagnostics: faults });
  return diff({ plan, lives: new Map([...inspections].map(([database, { live }]) => [database, live])), blockOf: blockFinder(files) });
}

/** Once the migration is in every database: lock, plan and files are written, what is left is applied, and the tables go on. */
export async function finish(migrating: Migrating, outcome: 'ended' | 'undone'): Promise<Generated> {
  const { schemas, context, compile, id, databases } = migrating;
  const found = new Map<string, Awaited<ReturnType<typeof readSchema>>['schema']>();
  for (const [database, names] of schemas) found.set(database, (await readSchema(sessionOf(migrating, database), names)).schema);
  const { generated, write } = compile(found);
  const changes = await changesFor(migrating, generated);
  await applySteps({ steps: changes.steps, seals: changes.seals, sessions: migrating.sessions, context: { ...context, plan: generated.plan } });
  await findCaptures(migrating, generated);
  await context.failpoint('migrate.before-write');
  await write();
  await context.failpoint('migrate.after-write');
  for (const database of databases) await sessionOf(migrating, database).query(restTables, ['{}']);
  await context.failpoint('migrate.before-end');
  for (const database of databases) await sessionOf(migrating, database).query(outcome === 'ended' ? markEnded : forgetRecord, [id]);
  await tellAll(migrating, generated);
  return generated;
}

/**
 * Values that the databases computed each for itself: of a column's default that is another value here and there, and of rows that were written anew.
 * The streams count as unverified until somebody has compared them. Returns the tables, with the syncs.
 */
export async function markDoubts(migrating: Migrating, next: Generated, rehearsal: Rehearsal): Promise<readonly string[]> {
  const doubts: string[] = [];
  for (const { sync, flow } of namedFlows(next.plan.syncs)) {
    for (const target of flow.targets) {
      const tables = flow.tables.filter((table) =>
        isDoubtful(rehearsal, { source: flow.source, target }, [displayName(table.source), displayName(table.target)]),
      );
      if (tables.length === 0) continue;
      const names = tables.map((table) => displayName(table.target)).join(', ');
      doubts.push(`sync ${sync}, ${flow.source} -> ${target}: ${names}`);
      await sessionOf(migrating, target).query(markUnverified, [sync, flow.source, `${migrating.file} wrote rows of ${names} in each database by itself`]);
    }
  }
  return doubts;
}

function isDoubtful({ effects, after }: Rehearsal, ends: { source: string; target: string }, [atSource = '', atTarget = '']: readonly string[]): boolean {
  const isRewritten = ([database, name]: readonly [string, string]): boolean =>
    effects.get(database)?.some((each) => each.table === name && each.isRewritten) === true;
  if ([[ends.source, atSource] as const, [ends.target, atTarget] as const].some(isRewritten)) return true;
  const missing = (database: string, name: string): ReadonlyMap<string, string | null> => {
    const table = [...(after.get(database)?.values() ?? [])].find((each) => displayName(each) === name);
    return new Map([...(table?.columns.values() ?? [])].map((column) => [column.name, column.missing]));
  };
  const isNew = (column: string): boolean => touched(effects.get(ends.source), atSource, column) || touched(effects.get(ends.target), atTarget, column);
  const here = missing(ends.source, atSource);
  return [...missing(ends.target, atTarget)].some(([column, value]) => here.has(column) && here.get(column) !== value && isNew(column));
}

function touched(effects: readonly { readonly table: string; readonly newColumns: readonly string[] }[] | undefined, table: string, column: string): boolean {
  return effects?.some((each) => each.table === table && each.newColumns.includes(column)) === true;
}

/** A migration begins from databases that are as their plan says: what differs afterwards is its own doing. */
export async function refuseUnappliedChanges(migrating: Migrating): Promise<void> {
  const { steps } = await changesFor(migrating, migrating.generated);
  const [first] = steps;
  if (first === undefined) return;
  throw failure('refused', {
    code: 'SAR826',
    where: `database ${first.database}`,
    message: `the databases are not as generated/ says: ${steps.length} steps are left, the first is ${first.id} (${first.reason})`,
    hint: 'Run: sarrio plan, then sarrio apply; then the migration.',
  });
}
