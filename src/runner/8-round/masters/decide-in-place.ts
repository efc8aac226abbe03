import type { HandlerConflict } from '../../../conflict/handlers/message.ts';
import type { Operation } from '../../../conflict/handlers/conflict.ts';
import type { DecideStatements } from '../../../plan/plan-masters.ts';
import { copyColumns } from '../../postgres/copy.ts';
import { refuseChanged } from '../changed-tables/read-too-late.ts';
import { planFor } from '../joins.sql.ts';
import { allOf } from './all-of.ts';
import { closeContested, createRuled, fetchContested, loadRuled, openContested } from './masters.sql.ts';
import { type AskHandler, type DecidedKeys, FEW_ENTRIES, type Member, type RuledConflict } from './member.ts';
import { deliverBoth } from './deliver-at-once.ts';
import { asSeen, entriesOf, fromOf, oneAhead, peerOf, tableOf } from './member-reads.ts';
import { asideOf, settleAside } from './member-writes.ts';
import { writesOf } from './set-aside.ts';
import type { MemberState } from './member-state.ts';

/** Conflicts in memory at a time: two such pages, with both rows of each. */
const SHOWN = 400;

type Deciding = { readonly others: readonly Member[]; readonly ask: AskHandler };

/**
 * Decides the contested keys of a table where their rows stand: each member's rows go to the other one, where they are needed for the record
 * anyway, the first member decides, and what it decided goes to the other one. No row becomes a value of the runner's, unless a handler is
 * to see it.
 */
export async function decideInPlace(state: MemberState, ordinal: number, { others, ask }: Deciding): Promise<DecidedKeys | null> {
  const { decide } = tableOf(state, ordinal).masters;
  const [peer, ...further] = others.map(({ index }) => peerOf(state, index));
  if (decide === null || peer === undefined || further.length > 0) return null;
  if (entriesOf(state, ordinal) + entriesOf(peer, ordinal) <= FEW_ENTRIES) return null;
  const [arrived, sent] = await deliverBoth([state, peer], ordinal);
  const { settled, conflicts, odd } = await decideAll(state, ordinal, decide);
  if (odd > 0) return forget([state, peer], ordinal, decide);
  if (settled > 0) await state.copyTo(peer, { before: [], from: decide.copyDecided, into: decide.loadDecided });
  const fresh = conflicts > 0 && decide.conflicts !== null ? await askAll([state, peer], ordinal, ask) : conflicts;
  for (const member of settled > 0 ? [state, peer] : []) {
    const aside = asideOf(member, ordinal);
    aside.decided = { conflicts, fresh };
    aside.hasFresh ||= decide.merge !== null && conflicts > 0;
  }
  const rows = new Map([
    [state.index, Math.max(0, sent - settled)],
    [peer.index, Math.max(0, arrived - settled)],
  ]);
  return { settled, conflicts, fresh, rows };
}

type Count = { readonly settled: number; readonly conflicts: number; readonly odd: number };

async function decideAll(state: MemberState, ordinal: number, { decide, count }: DecideStatements): Promise<Count> {
  const answers = await state.session.batch([
    { text: planFor('many') },
    { text: writesOf(asideOf(state, ordinal)).analyzeStage },
    ...fromOf(state, ordinal),
    { text: decide },
    { text: count },
    asSeen(state, [ordinal]),
  ]);
  refuseChanged(state.name, answers.at(-1));
  const [settled = 0, conflicts = 0, odd = 0] = (answers.at(-2)?.lists[0] ?? []).map(Number);
  return { settled, conflicts, odd };
}

/** As if nothing had been brought to each other. */
async function forget(members: readonly MemberState[], ordinal: number, { clear }: DecideStatements): Promise<null> {
  await allOf(members.map(({ session }) => session.query(clear)));
  for (const { pending } of members) pending.asides.delete(ordinal);
  return null;
}

/** @returns How many conflicts a row came out of. */
async function askAll(members: readonly [MemberState, MemberState], ordinal: number, ask: AskHandler): Promise<number> {
  const [place] = members;
  const { decide } = tableOf(place, ordinal).masters;
  if (decide?.conflicts == null || decide.rule === null) throw new Error('a handler without statements');
  await allOf(members.map(({ session }) => session.query(createRuled)));
  await place.session.query(openContested(decide.conflicts));
  const fresh = await askInPages(members, ordinal, ask);
  await place.session.query(closeContested);
  const { rule } = decide;
  await allOf(members.map(({ session }) => session.batch([{ text: planFor('many') }, { text: rule }])));
  return fresh;
}

/** While the handler is asked about a page, the one before is set aside and the next one is read. */
async function askInPages(members: readonly [MemberState, MemberState], ordinal: number, ask: AskHandler): Promise<number> {
  let fresh = 0;
  let setting: Promise<unknown> = Promise.resolve();
  try {
    for await (const page of oneAhead(pages(members[0], ordinal))) {
      const ruled = await ask(page.map(({ conflict }) => conflict));
      await setting;
      setting = allOf(members.map((member) => setRuled(member, ordinal, { page, ruled })));
      // Who waits for it hears of a failure.
      setting.catch(() => undefined);
      fresh += ruled.filter(({ row }) => row?.write !== 'skip').length;
    }
    await setting;
    return fresh;
  } finally {
    await Promise.allSettled([setting]);
  }
}

type Ruled = { readonly page: readonly Shown[]; readonly ruled: readonly RuledConflict[] };

async function setRuled(member: MemberState, ordinal: number, { page, ruled }: Ruled): Promise<void> {
  const lines = ruled.map(({ take, decision }, place) => `${copyColumns([page[place]?.id ?? null, take === null ? null : String(take), decision])}\n`);
  await member.load(loadRuled, lines);
  const rows = ruled.flatMap(({ row }) => row ?? []);
  if (rows.length > 0) await settleAside(member, ordinal, rows);
}

/** A conflict as a handler sees it, with its id. */
type Shown = { readonly id: string; readonly conflict: HandlerConflict };

async function* pages(state: MemberState, ordinal: number): AsyncGenerator<readonly Shown[]> {
  const { columns } = tableOf(state, ordinal);
  for (;;) {
    const [answer] = await state.session.batch([{ text: fetchContested(SHOWN) }]);
    const lists = answer?.lists ?? [];
    if (lists.length > 0) yield lists.map((list) => shown(list, columns.length));
    if (lists.length < SHOWN) return;
  }
}

function shown([id, key, firstAt, firstOp, secondAt, secondOp, ...values]: readonly (string | null)[], count: number): Shown {
  const version = (member: number, { at, op }: { at: string | null | undefined; op: string | null | undefined }) => ({
    member,
    at: BigInt(at ?? '0'),
    op: op as Operation,
    row: { isPresent: op !== 'delete', values: values.slice(member * count, (member + 1) * count) },
  });
  return {
    id: id ?? '',
    conflict: {
      key: JSON.parse(key ?? '[]') as readonly string[],
      versions: [version(0, { at: firstAt, op: firstOp }), version(1, { at: secondAt, op: secondOp })],
    },
  };
}
