import type { Generated } from '../../plan/generated-files.ts';
import type { PlanCapture } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import { bareNameOf } from '../5-inspect/live-database.ts';
import { readInstalled, readObjects } from '../5-inspect/read-installed.ts';
import { blockFinder } from '../6-diff/blocks.ts';
import { diff } from '../6-diff/diff.ts';
import { refreshedTables, skipName, withoutSkipped } from '../6-diff/diff-seals.ts';
import type { Step } from '../6-diff/step.ts';
import { groupSteps } from '../7-apply/groups.ts';
import { lockTables } from '../7-apply/lock-tables.ts';
import { recordGroup } from '../7-apply/record-group.ts';
import { recordSeal } from '../7-apply/seal-group.ts';
import type { Session } from '../postgres/session.ts';
import { followKey, recordFingerprint } from './migrate.sql.ts';
import type { CatalogTable } from './read-catalog.ts';

type Tables = ReadonlyMap<string, CatalogTable>;

/** Captured keys follow the table's own columns, so that what was captured before is read as what is captured now. */
export async function followKeys(session: Session, old: Generated, { before, after }: { before: Tables; after: Tables }): Promise<void> {
  const planned = old.plan.databases[session.database];
  for (const capture of planned?.captures ?? []) {
    const text = keyChanges(capture, planned?.shapes[displayName(capture.table)]?.key ?? [], { before, after });
    if (text === '') continue;
    await session.query(text);
    await recordFollowed(session, old, displayName(capture.table));
  }
}

/** What this very transaction altered is no drift. */
async function recordFollowed(session: Session, { plan }: Generated, group: string): Promise<void> {
  const own = (plan.databases[session.database]?.objects ?? []).filter((object) => object.group === group && ['table', 'index'].includes(object.kind));
  const found = await readObjects(
    session,
    own.map(({ name }) => bareNameOf(name)),
  );
  for (const { kind, name, fingerprint } of found) await session.query(recordFingerprint, [kind, name, fingerprint]);
}

function keyChanges({ table, delta }: PlanCapture, key: readonly string[], { before, after }: { before: Tables; after: Tables }): string {
  const [oid, was] = [...before].find(([, each]) => displayName(each) === displayName(table)) ?? [];
  const is = oid === undefined ? undefined : after.get(oid);
  if (was === undefined || is === undefined) return '';
  return [...was.columns]
    .flatMap(([number, column]) => {
      const now = is.columns.get(number);
      if (now === undefined || !key.includes(column.name)) return [];
      return [followKey(delta, { from: column.name, to: now.name, type: column.type === now.type ? null : now.type })];
    })
    .join('');
}

/**
 * In the transaction of the migration: what the new plan has in this database but for the streams. No write goes by between the new table and its
 * capture, so no table need be sent anew for triggers that this transaction itself took away.
 */
export async function installCaptures(session: Session, generated: Generated, timeoutMs: number): Promise<void> {
  const { plan, files } = generated;
  const live = await readInstalled(session, plan.databases[session.database]?.captures ?? []);
  const changes = diff({ plan, lives: new Map([[session.database, live]]), blockOf: blockFinder(files) });
  const steps = withoutWholeTables(changes.steps.filter(({ kind }) => kind !== 'register' && kind !== 'unregister'));
  const seen = new Map<string, string>();
  for (const group of groupSteps(steps)) {
    await lockTables({ session, group, timeoutMs });
    for (const step of group.steps) if (step.sql !== '') await session.query(step.sql);
    await recordGroup({ session, group, plan });
    await recordSeal({ session, group, plan, seen });
  }
}

function withoutWholeTables(steps: readonly Step[]): readonly Step[] {
  return withoutSkipped(steps, new Set(refreshedTables(steps).map(({ object }) => skipName(object.name))));
}
