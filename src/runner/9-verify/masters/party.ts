import { beforeAll, intersection, parsePosition, type Position, positionAt, sameHistory } from '../../../plan/position.ts';
import type { Session } from '../../postgres/session.ts';
import { readAcknowledged } from '../../8-round/source.sql.ts';
import { refuseForeignHistory, refuseGap } from '../../8-round/stream-target.ts';
import { type Origin, readOrigin } from '../place.ts';
import { readSeen } from './masters.sql.ts';
import type { MastersTable } from './select-masters.ts';

/** One member while a table is compared. */
export type Party = {
  readonly index: number;
  readonly name: string;
  /** Holds the delta table, and reads what is recorded in it when all snapshots are taken. */
  readonly holder: Session;
  /** Reads the rows in one snapshot. */
  readonly reader: Session;
};

/** What a member says of the streams to the others before anything is compared: by target. */
export type Origins = ReadonlyMap<string, Origin>;

/** To be read before the others' watermarks, so that these cover what is acknowledged here. */
export async function readOrigins({ sync, delta }: MastersTable, party: Party, others: readonly Party[]): Promise<Origins> {
  const origins = new Map<string, Origin>();
  for (const { name } of others) {
    origins.set(name, await readOrigin(party.holder, { sync, source: party.name, target: name }, delta));
  }
  return origins;
}

/** What a member's snapshot shows. */
export type Seen = {
  readonly party: Party;
  readonly snapshot: string;
  /** By source. */
  readonly watermarks: ReadonlyMap<string, Watermark>;
};

/** `applied`: how far the table is, where it has not moved with the watermark. */
type Watermark = {
  readonly position: string;
  readonly applied: string;
  readonly registration: string;
  readonly capture: string | null;
  readonly isJoined: boolean;
};

/** Takes the snapshot of the reader's transaction. */
export async function readSeenBy({ sync, stream }: MastersTable, party: Party): Promise<Seen> {
  const { rows } = await party.reader.query(readSeen, [sync, stream.relation]);
  const watermarks = rows.flatMap((row): readonly (readonly [string, Watermark])[] => {
    const { source, position, applied, registration } = row;
    if (!source || !position) return [];
    return [
      [
        source,
        { position, applied: applied ?? position, registration: registration ?? '', capture: row['capture'] ?? null, isJoined: row['is_joined'] === 't' },
      ],
    ];
  });
  return { party, snapshot: rows[0]?.['snapshot'] ?? '', watermarks: new Map(watermarks) };
}

export type Ready = { readonly kind: 'ready' } | { readonly kind: 'waits'; readonly reason: string };

/** Whether a member's rows follow on from those of the others, so that what differs and is not on its way differs in earnest. */
export function readiness(table: MastersTable, seen: Seen, origins: ReadonlyMap<string, Origins>): Ready {
  const { sync, planned } = table;
  const target = seen.party.name;
  for (const [source, toOthers] of origins) {
    const origin = toOthers.get(target);
    if (source === target || origin === undefined) continue;
    const watermark = seen.watermarks.get(source);
    if (origin.registration === null) return { kind: 'waits', reason: `${source} does not know it; run: sarrio apply` };
    if (watermark === undefined || watermark.registration !== origin.registration) return { kind: 'waits', reason: `it has not met ${source} yet` };
    const isCopied = source !== planned.members[0] || (watermark.isJoined && watermark.capture === origin.capture);
    if (!isCopied) return { kind: 'waits', reason: 'its initial copy is not finished' };
    const stored = parsePosition(watermark.position);
    const stream = { sync, source, target };
    refuseForeignHistory(stream, stored.history, origin.history);
    if (sameHistory(stored.history, origin.history)) refuseGap(stream, stored, origin.acknowledged);
  }
  return { kind: 'ready' };
}

/**
 * What every member has seen of one, and what its own snapshot has: whatever it records that this does not cover is on its way, or came
 * after the snapshot.
 */
export function seenByAll(one: Seen, all: readonly Seen[], origins: ReadonlyMap<string, Origins>): Position {
  const { name } = one.party;
  const history = [...(origins.get(name)?.values() ?? [])][0]?.history;
  if (history === undefined) throw new Error(`nobody else is compared with ${name}`);
  const others = all.flatMap(({ watermarks }) => {
    const found = watermarks.get(name);
    return found ? [parsePosition(found.applied)] : [];
  });
  return intersection([
    positionAt(history, one.snapshot),
    ...others.map((position) => (sameHistory(position.history, history) ? position : beforeAll(history))),
  ]);
}

/** Whether all streams of a member are the ones that were asked about first. */
export async function isStillKnown({ sync }: MastersTable, { name, holder }: Party, origins: ReadonlyMap<string, Origins>): Promise<boolean> {
  for (const [target, { registration }] of origins.get(name) ?? []) {
    const row = (await holder.query(readAcknowledged, [sync, target])).rows[0];
    if (row?.['registration'] !== registration || row['detached_at']) return false;
  }
  return true;
}
