import { type Flow, namedFlows } from '../../plan/flows.ts';
import type { PlanTable } from '../../plan/plan.ts';
import { beforeAll, type History, parsePosition, type Position, sameHistory } from '../../plan/position.ts';
import { displayName } from '../../sql/quote.ts';
import { readDetached } from '../8-round/masters/masters.sql.ts';
import { readHistory, setPosition } from '../8-round/source.sql.ts';
import type { Session } from '../postgres/session.ts';
import { TryAgain } from './busy.ts';
import { captureOid, readMemberPlace } from './members.sql.ts';
import { begin, commit, readPlace } from './migrate.sql.ts';
import { type Migrating, sessionOf } from './migrating.ts';
import type { Statement } from '../postgres/statement.ts';

const LOOK_AGAIN_MS = 50;

/** `isResting`: the tables do rest by now, and what is pending stays so. */
type Draining = {
  readonly source: string;
  readonly tables: ReadonlySet<string>;
  readonly isResting: boolean;
  readonly deadline: number;
  readonly isInTransaction: boolean;
};

/**
 * With writers kept out of the tables: waits until every target has applied what was captured of them. @throws TryAgain when that takes too long,
 * so that writers go on meanwhile.
 */
export async function drained(migrating: Migrating, draining: Draining): Promise<void> {
  const { clock } = migrating.context;
  for (;;) {
    const waiting = await pendingOf(migrating, draining);
    if (waiting === null) return;
    if (clock.now() >= draining.deadline) throw new TryAgain(waiting);
    await clock.sleep(LOOK_AGAIN_MS, migrating.context.signal);
  }
}

/** What some target has not applied yet, in words. */
async function pendingOf(migrating: Migrating, { source, tables, isResting, isInTransaction }: Draining): Promise<string | null> {
  const session = sessionOf(migrating, source);
  const row = (await session.query(readHistory)).rows[0];
  const history: History = { system: row?.['system'] ?? '', database: row?.['database'] ?? '', timeline: Number(row?.['timeline']) };
  for (const { sync, flow } of namedFlows(migrating.generated.plan.syncs)) {
    if (flow.source !== source) continue;
    const away = await detachedAt(migrating, sync, flow);
    for (const table of flow.tables.filter((each) => tables.has(displayName(each.source)))) {
      for (const target of flow.targets.filter((each) => !away.has(each))) {
        const place = await placeOf(migrating, { sync, flow, table, target, isResting });
        if (place.waits !== null) return `${displayName(table.source)} at ${target} ${place.waits}`;
        if (place.position === null) continue;
        const entries = await count(session, [setPosition(known(place.position, history)), { text: table.countPending }], isInTransaction);
        if (entries) return `${entries} changes of ${displayName(table.source)} have not reached ${target}`;
      }
    }
  }
  return null;
}

/** No lock on the delta table outlasts the count: a purge would wait for it, and rounds behind that. */
async function count(session: Session, statements: readonly Statement[], isInTransaction: boolean): Promise<string | null> {
  if (isInTransaction) return (await session.batch(statements)).at(-1)?.lists[0]?.[1] ?? null;
  return (await session.batch([{ text: begin }, ...statements, { text: commit }])).at(-2)?.lists[0]?.[1] ?? null;
}

/** Members that are given up on, from here or by these, come back with a copy of all. */
async function detachedAt(migrating: Migrating, sync: string, { mode, source, targets }: Flow): Promise<ReadonlySet<string>> {
  if (mode !== 'multi-master') return new Set();
  const away = new Set<string>();
  for (const row of (await sessionOf(migrating, source).query(readDetached, [sync])).rows) away.add(row['target'] ?? '');
  for (const target of targets) {
    const given = (await sessionOf(migrating, target).query(readDetached, [sync])).rows.map((row) => row['target']);
    if (given.includes(source)) away.add(target);
  }
  return away;
}

type Pair = { readonly sync: string; readonly flow: Flow; readonly table: PlanTable; readonly target: string; readonly isResting: boolean };

/** Where a target stands: nothing where it has to be copied anyway; between masters that has to come first. */
async function placeOf(migrating: Migrating, pair: Pair): Promise<{ readonly position: string | null; readonly waits: string | null }> {
  const { sync, flow, table, target, isResting } = pair;
  const session = sessionOf(migrating, target);
  const names = [sync, flow.source, displayName(table.target)];
  if (flow.mode !== 'multi-master') return { position: (await session.query(readPlace, names)).rows[0]?.['position'] || null, waits: null };
  const row = (await session.query(readMemberPlace, names)).rows[0];
  if (!row?.['position']) return { position: null, waits: `has not taken part together with ${flow.source} yet` };
  const delta = migrating.generated.plan.databases[flow.source]?.captures.find((each) => displayName(each.table) === displayName(table.source))?.delta ?? '';
  const capture = (await sessionOf(migrating, flow.source).query(captureOid, [delta])).rows[0]?.['oid'];
  const isCopied = row['capture'] === null ? !isCopiedFrom(migrating, pair) : row['is_joined'] === 't' && (isResting || row['capture'] === capture);
  return { position: row['position'], waits: isCopied ? null : `waits for its copy from ${flow.source}` };
}

/** Of the others no copy is noted. */
function isCopiedFrom({ generated }: Migrating, { sync, flow }: Pair): boolean {
  const planned = generated.plan.syncs[sync];
  return planned?.mode === 'multi-master' && (planned.members[0] === flow.source || planned.existingRows === 'keep');
}

function known(stored: string, history: History): Position {
  const position = parsePosition(stored);
  return sameHistory(position.history, history) ? position : beforeAll(history);
}
