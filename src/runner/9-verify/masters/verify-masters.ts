import { failure, SarrioError } from '../../../plan/errors.ts';
import { failureText } from '../../postgres/error-text.ts';
import type { Session } from '../../postgres/session.ts';
import { rightsHint } from '../rights-hint.ts';
import { repairSession } from '../verify.sql.ts';
import type { VerifySessions } from '../verify-sessions.ts';
import { compareMasters, type MastersCompared } from './compare-masters.ts';
import { ALL_ALIKE, type MastersResult } from './masters-result.ts';
import type { Party } from './party.ts';
import { readWrites } from './read-differences.ts';
import { repairMasters } from './repair-masters.ts';
import type { MastersTable } from './select-masters.ts';
import type { Verifying } from '../verifying.ts';

export type MastersOutcome = { readonly result: MastersResult; readonly errors: readonly SarrioError[] };

type Absent = { readonly member: string; readonly reason: string };

/** Compares one table of all members that can be compared and, when asked to, repairs it. Never throws: an error is part of the outcome. */
export async function verifyMasters(verifying: Verifying, table: MastersTable, sessions: VerifySessions): Promise<MastersOutcome> {
  const { clock } = verifying;
  const began = clock.now();
  const errors: SarrioError[] = [];
  const absent: Absent[] = [];
  try {
    const parties = await gather(verifying, table, { sessions, absent, errors });
    const result = await compareWhoCan(verifying, table, { sessions, absent, parties });
    return { result: { ...result, ms: clock.now() - began }, errors };
  } catch (error) {
    const named = error instanceof SarrioError ? error : failedComparison(table, error);
    const result = { ...blank(table), absent, state: 'failed', reason: failureText(error), ms: clock.now() - began } as const;
    return { result, errors: [...errors, named] };
  }
}

function blank({ sync, stream }: MastersTable): MastersResult {
  return {
    sync,
    table: stream.relation,
    members: [],
    absent: [],
    state: 'not-compared',
    reason: null,
    rows: null,
    differences: ALL_ALIKE,
    repair: null,
    ms: 0,
  };
}

type Gathering = { readonly sessions: VerifySessions; readonly absent: Absent[]; readonly errors: SarrioError[] };

/** Those that can be reached: one that is down leaves the others alone. */
async function gather({ signal, unreachable }: Verifying, { planned }: MastersTable, { sessions, absent, errors }: Gathering): Promise<readonly Party[]> {
  const parties: Party[] = [];
  for (const [index, name] of planned.members.entries()) {
    const known = unreachable.get(name);
    if (known !== undefined) {
      absent.push({ member: name, reason: known });
      continue;
    }
    try {
      parties.push({ index, name, holder: await sessions.get(name, 'verify', 'hold'), reader: await sessions.get(name, 'verify', 'read') });
    } catch (error) {
      signal.throwIfAborted();
      unreachable.set(name, failureText(error));
      absent.push({ member: name, reason: failureText(error) });
      errors.push(error instanceof SarrioError ? error : unreached(name, error));
    }
  }
  return parties;
}

type Comparing = { readonly sessions: VerifySessions; readonly absent: Absent[]; readonly parties: readonly Party[] };

/** Whoever cannot be compared at this moment is left out, and the others are compared without it. */
async function compareWhoCan(verifying: Verifying, table: MastersTable, { sessions, absent, parties }: Comparing): Promise<MastersResult> {
  const { buckets, limit, failpoint, from } = verifying;
  const right = parties.find(({ name }) => name === from) ?? null;
  if (from !== null && right === null) return { ...blank(table), absent, reason: `${from} takes no part` };
  const [first] = parties;
  if (first === undefined || parties.length < 2) return { ...blank(table), absent, reason: 'fewer than two members can be compared' };
  const place = await placeOf(verifying, right ?? first, sessions);
  try {
    const compared = await compareMasters({ table, parties, place, buckets, limit, failpoint });
    if (compared.kind === 'compared') return await resultOf(verifying, table, { compared, absent, parties, place, right });
    absent.push(...compared.waiting.map(({ party, reason }) => ({ member: party.name, reason })));
    const rest = parties.filter((party) => !compared.waiting.some((each) => each.party === party));
    if (place.isOpen()) await place.query(table.stream.verify.dropStage);
    return await compareWhoCan(verifying, table, { sessions, absent, parties: rest });
  } finally {
    if (place.isOpen()) await place.query(table.stream.verify.dropStage).catch(() => place.destroy());
  }
}

async function placeOf({ repair }: Verifying, { name }: Party, sessions: VerifySessions): Promise<Session> {
  const place = await sessions.get(name, repair ? 'target' : 'verify', 'compare');
  if (repair) await place.query(repairSession);
  return place;
}

type Found = Omit<Comparing, 'sessions'> & {
  readonly compared: Extract<MastersCompared, { kind: 'compared' }>;
  readonly place: Session;
  readonly right: Party | null;
};

async function resultOf(verifying: Verifying, table: MastersTable, { compared, absent, parties, place, right }: Found): Promise<MastersResult> {
  const { repair, log, failpoint } = verifying;
  const { rows, differences, at } = compared;
  const result = { ...blank(table), members: parties.map(({ name }) => name), absent, rows, differences };
  if (differences.keys === 0) return { ...result, state: absent.length > 0 ? 'not-compared' : 'equal' };
  if (right === null) return { ...result, state: 'differs' };
  const writes = await readWrites(place, { table: table.table, parties, from: right });
  const planned = { ...result, state: 'differs', repair: { from: right.name, writes, recorded: null } } as const;
  if (!repair) return planned;
  log({ kind: 'masters-repairing', result: planned });
  const recorded = await repairMasters({ table, from: right, place, at, failpoint });
  return { ...planned, state: 'repaired', repair: { from: right.name, writes, recorded } };
}

function unreached(member: string, cause: unknown): SarrioError {
  return failure('failed', { code: 'SAR700', where: `database ${member}`, message: `it cannot be compared: ${failureText(cause)}`, cause });
}

function failedComparison({ sync, stream }: MastersTable, cause: unknown): SarrioError {
  const where = `sync ${sync}, table ${stream.relation}`;
  return failure('failed', { code: 'SAR700', where, message: `the comparison failed: ${failureText(cause)}`, ...rightsHint(cause), cause });
}
