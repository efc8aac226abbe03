import type { Session } from '../../postgres/session.ts';
import { copyBetween } from '../../postgres/copy.ts';
import { refuseChanged } from '../changed-tables/read-too-late.ts';
import { boundLock } from '../purge.sql.ts';
import { joinsFor } from '../joins.sql.ts';
import { exportSnapshot } from '../source.sql.ts';
import { allOf, bothOf } from './all-of.ts';
import { readerSettings, setSpan } from './masters.sql.ts';
import { deliverMany } from './member-deliver.ts';
import { asSeen, entriesOf, spanOf, tableOf } from './member-reads.ts';
import { receiveCopy, stagedAt } from './member-writes.ts';
import type { MemberState } from './member-state.ts';
type Pair = readonly [MemberState, MemberState];

/**
 * Brings what each of two members has changed of a table to the other one, both ways at the same time: each reads on a second connection while
 * its first one takes in what comes. A round that holds locks of its own reads over one connection, and so does one that gets no second.
 * @returns How many rows the first one got, and the second one.
 */
export async function deliverBoth(pair: Pair, ordinal: number): Promise<readonly [number, number]> {
  const [one, other] = pair;
  const readers = pair.some(({ isBound }) => isBound) ? null : await openBoth(pair);
  if (readers === null) return [await deliverMany(other, ordinal, { to: [one], fresh: false }), await deliverMany(one, ordinal, { to: [other], fresh: false })];
  const [ofOne, ofOther] = readers;
  try {
    await allOf(pair.map((member) => stagedAt(member, ordinal)));
    await one.failpoint('masters.before-both');
    return await bothOf(bring(other, ordinal, { to: one, reader: ofOther }), bring(one, ordinal, { to: other, reader: ofOne }));
  } finally {
    await allOf([one.readers.close(ofOne), other.readers.close(ofOther)]);
  }
}

/** Null where one of them cannot be had: there may be no connection left. */
async function openBoth(pair: Pair): Promise<readonly [Session, Session] | null> {
  const opening = await Promise.allSettled(pair.map(openReader));
  const opened = opening.flatMap((each, place) => (each.status === 'fulfilled' ? [{ session: each.value, member: pair[place] }] : []));
  const [one, other] = opened;
  if (one !== undefined && other !== undefined) return [one.session, other.session];
  for (const { session, member } of opened) await member?.readers.close(session);
  return null;
}

async function openReader({ session, readers }: MemberState): Promise<Session> {
  const [exported] = await session.batch([{ text: exportSnapshot }]);
  return readers.open(exported?.lists[0]?.[0] ?? '');
}

type Way = { readonly to: MemberState; readonly reader: Session };

async function bring(from: MemberState, ordinal: number, { to, reader }: Way): Promise<number> {
  const { seenBy, knownBy } = spanOf(from, ordinal);
  const seen = seenBy.get(to.index);
  if (seen === undefined) throw new Error(`${to.name} was not there when the round began`);
  await reader.batch([
    { text: boundLock },
    readerSettings(from.index),
    setSpan({ from: seen, seenBy: new Map([[to.index, seen]]), knownBy }),
    joinsFor(tableOf(from, ordinal).source, entriesOf(from, ordinal)),
  ]);
  const text = tableOf(from, ordinal).masters.copyChanged;
  const copy = (into: string): Promise<number> => to.withConnection((session) => copyBetween({ session: reader, text }, { session, text: into }));
  const rows = await receiveCopy(to, ordinal, { from: from.index, copy, fresh: false });
  const [altered] = await reader.batch([asSeen(from, [ordinal])]);
  refuseChanged(from.name, altered);
  return rows;
}
