import { failure } from '../../plan/errors.ts';
import { refuseUnfitText } from './check-text.ts';
import { effectText } from './effects.ts';
import { finish, markDoubts, refuseUnappliedChanges } from './finish.ts';
import { forgetRecord, restTables } from './migrate.sql.ts';
import { lostCaptures } from './members.sql.ts';
import { hazardousSteps } from './hazards.ts';
import { type Migrating, sessionOf } from './migrating.ts';
import { beginRecords, type Record, recordsOf } from './records.ts';
import { rehearse } from './rehearse.ts';
import { orderOf, refuseParts, scopeOf, touchedTables } from './scope.ts';
import { tellAll } from './tell-all.ts';
import { restAll, restCopies } from './rest.ts';
import { walk } from './walk.ts';
import { findCaptures, openAll, settleMembers } from './close-members.ts';

/** `done`: in which databases it ran now. `doubts`: tables whose values the databases computed each for itself. */
export type Migrated = {
  readonly outcome: 'migrated' | 'was-done' | 'undone' | 'was-not-begun';
  readonly done: readonly string[];
  readonly doubts: readonly string[];
};

const NOTHING = { done: [], doubts: [] } as const;

/**
 * Runs a migration in every database, in the safe order, while everything else goes on. Each database runs it once, in one transaction with what its
 * capture needs and with the record that it ran; the tables that it touches rest from before the first of these transactions until the last one is
 * through and the new plan stands. Whatever ends the command, the same command goes on from there.
 */
export async function migrate(migrating: Migrating): Promise<Migrated> {
  const { databases, text, file, say, context } = migrating;
  refuseUnfitText(file, text);
  const records = await recordsOf(migrating);
  if (databases.every((database) => records.get(database)?.isEnded === true)) return { outcome: 'was-done', ...NOTHING };
  if (records.size === 0) await refuseUnappliedChanges(migrating);
  const left = databases.filter((database) => records.get(database)?.isDone !== true);
  const rehearsal = await rehearse(migrating, { databases: new Set(left), text });
  for (const [database, effects] of rehearsal.effects) for (const effect of effects) say(`${database}: ${effectText(effect)}`);
  refuseParts(migrating, rehearsal);
  const { generated: next } = migrating.compile(rehearsal.schemas);
  await context.failpoint('migrate.rehearsed');
  const known = [...records.values()][0];
  const scope = scopeOf({ ...migrating, declared: known?.direction ?? migrating.declared }, rehearsal, next);
  const { direction } = scope;
  migrating.approve(await hazardousSteps(migrating, next, rehearsal), next);
  const resting = merged(scope.resting, records);
  await beginRecords(migrating, { direction, resting, touched: touchedTables(migrating, rehearsal, resting) });
  const losesChanges = [...scope.takes.values()].some(({ size }) => size > 0);
  await restCopies(migrating, resting);
  // Once it has run somewhere, all changes of closed tables are everywhere, and they are closed where it has not.
  if (left.length === databases.length) await settleMembers(migrating, scope.closed, resting);
  if (!losesChanges) await restAll(migrating, resting);
  const order = orderOf(migrating, direction).filter((database) => left.includes(database));
  await walk(migrating, { text, next, order, resting, takes: scope.takes, marks: 'done' }).catch(async (error: unknown) => {
    await openUnlessBegun(migrating).catch(() => undefined);
    throw error;
  });
  const doubts = await markDoubts(migrating, next, rehearsal);
  await finish(migrating, 'ended');
  return { outcome: 'migrated', done: order, doubts };
}

/** Nobody is kept waiting by what has begun nowhere. */
async function openUnlessBegun(migrating: Migrating): Promise<void> {
  const records = await recordsOf(migrating);
  if (![...records.values()].some(({ isDone }) => isDone)) await openAll(migrating);
}

/** Takes a migration back that did not come to its end: `down` runs where it ran. Where it ran nowhere, nothing has to. */
export async function undo(migrating: Migrating, down: { readonly file: string; readonly text: string } | null): Promise<Migrated> {
  const { databases, file } = migrating;
  const records = await recordsOf(migrating);
  if (records.size === 0) return { outcome: 'was-not-begun', ...NOTHING };
  const ran = databases.filter((database) => records.get(database)?.isDone === true);
  if (databases.every((database) => records.get(database)?.isEnded === true)) throw ended(file);
  if (ran.length === 0) {
    await findCaptures(migrating, migrating.generated);
    await openAll(migrating);
    for (const database of databases) await sessionOf(migrating, database).query(restTables, ['{}']);
    for (const database of databases) await sessionOf(migrating, database).query(forgetRecord, [migrating.id]);
    await tellAll(migrating, migrating.generated);
    return { outcome: 'undone', ...NOTHING };
  }
  if (down === null) throw needsDown(file, ran);
  refuseUnfitText(down.file, down.text);
  await refuseLostCaptures(migrating);
  const rehearsal = await rehearse(migrating, { databases: new Set(ran), text: down.text });
  const { generated: next } = migrating.compile(rehearsal.schemas);
  migrating.approve(await hazardousSteps(migrating, next, rehearsal), next);
  const direction = [...records.values()][0]?.direction === 'contract' ? 'expand' : 'contract';
  const resting = merged(new Map(), records);
  await restAll(migrating, resting);
  await restCopies(migrating, resting);
  const order = orderOf(migrating, direction).filter((database) => ran.includes(database));
  await walk(migrating, { text: down.text, next, order, resting, takes: new Map(), marks: 'undone' });
  const doubts = await markDoubts(migrating, next, rehearsal);
  await finish(migrating, 'undone');
  return { outcome: 'undone', done: order, doubts };
}

/** What rested when an earlier command ended, rests on. */
function merged(resting: ReadonlyMap<string, readonly string[]>, records: ReadonlyMap<string, Record>): ReadonlyMap<string, readonly string[]> {
  const all = new Map(resting);
  for (const [database, { tables }] of records) if (tables.length > 0) all.set(database, [...new Set([...(all.get(database) ?? []), ...tables])].sort());
  return all;
}

/** What was written since where it has run is captured by what came with it: that would go, and nobody else has it yet. */
async function refuseLostCaptures(migrating: Migrating): Promise<void> {
  for (const database of migrating.databases) {
    const [lost] = (await sessionOf(migrating, database).query(lostCaptures)).rows;
    if (lost === undefined) continue;
    throw failure('refused', {
      code: 'SAR827',
      where: migrating.file,
      message: `it has changed the key or the name of ${lost['relation'] ?? ''}, and what was written since at the members where it ran stands nowhere else`,
      hint: `Finish it: sarrio migrate ${migrating.file}; then write a migration that does the opposite and run that.`,
    });
  }
}

function ended(file: string): Error {
  return failure('refused', {
    code: 'SAR827',
    where: file,
    message: 'it is through everywhere',
    hint: 'To take it back, write a migration that does the opposite and run that.',
  });
}

function needsDown(file: string, ran: readonly string[]): Error {
  return failure('refused', {
    code: 'SAR827',
    where: file,
    message: `it has run in ${ran.join(', ')}, and only you know what takes it back there`,
    hint: `Write that into a file: sarrio migrate ${file} --undo <down.sql>. Or finish it: sarrio migrate ${file}`,
  });
}
