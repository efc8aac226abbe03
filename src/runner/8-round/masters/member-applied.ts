import { type Applied, type Marks, marksOfTable, united } from '../../../conflict/bookkeeping.ts';
import { formatPosition, parsePosition, type Position } from '../../../plan/position.ts';
import { originsOf } from '../../../plan/plan-masters.ts';
import { displayName } from '../../../sql/quote.ts';
import { restingTables } from '../changed-tables/table-watch.ts';
import type { MemberSnapshot } from './masters.sql.ts';
import type { Look } from './member.ts';
import type { MemberState } from './member-state.ts';

/** The syncs whose watermarks count for this one's rounds: those of its ring, itself last. */
export function accountOf({ syncName, sync }: Pick<MemberState, 'syncName' | 'sync'>): readonly string[] {
  return [...(sync.ring?.syncs ?? []).filter((name) => name !== syncName), syncName];
}

type Noted = Pick<MemberSnapshot, 'watermarks' | 'held'>;

/** What a member has noted, as its snapshot shows it. */
export function appliedAt(state: MemberState, noted: Noted): Applied & Pick<Look, 'copiedXid' | 'noted'> {
  const parts = accountOf(state).map((sync) => ({ watermarks: watermarksOf(state, sync, noted.watermarks), held: heldOf(state, sync, noted.held) }));
  const own = parts.at(-1);
  const copiedXid = copiedXidOf(noted.watermarks);
  if (own === undefined || parts.length === 1) return { ...(own ?? united([])), copiedXid, noted: null };
  const all = united(parts);
  return { ...all, copiedXid, noted: isLess(state, own, all) ? own : null };
}

/** Tables that rest for a migration; by ordinal. */
export function restingAt({ sync }: MemberState, { watermarks }: Noted): ReadonlySet<number> {
  const names = new Set(watermarks.flatMap(([, , , , resting]) => restingTables(resting ?? '{}')));
  return new Set(
    names.size === 0 ? [] : [...sync.tables.keys()].filter((ordinal) => names.has(displayName(sync.tables[ordinal]?.target ?? { schema: '', name: '' }))),
  );
}

/** Whether the sync's own note of its members is less than what the whole ring has noted. */
function isLess({ sync, index }: MemberState, own: Applied, all: Applied): boolean {
  const tables = [...all.held.keys(), ...own.held.keys()];
  const isOther = (noted: Marks, known: Marks): boolean =>
    sync.members.some((_, origin) => origin !== index && textOf(noted.get(origin)) !== textOf(known.get(origin)));
  return isOther(own.watermarks, all.watermarks) || tables.some((table) => isOther(marksOfTable(own, table), marksOfTable(all, table)));
}

function textOf(position: Position | undefined): string {
  return position === undefined ? '' : formatPosition(position);
}

function watermarksOf({ sync: planned, index }: MemberState, sync: string, lines: Noted['watermarks']): Marks {
  const origins = originsOf(planned);
  const rows = lines.flatMap(([of, source, position]) => {
    const origin = of === sync ? origins.indexOf(source ?? '') : -1;
    return origin >= 0 && origin !== index && position ? [[origin, parsePosition(position)] as const] : [];
  });
  return new Map(rows.sort(([a], [b]) => a - b));
}

/** A table that the plan does not name holds nothing. */
function heldOf({ sync: planned, index }: MemberState, sync: string, lines: Noted['held']): ReadonlyMap<number, Marks> {
  const held = new Map<number, Map<number, Position>>();
  const origins = originsOf(planned);
  for (const [of, source, relation, position] of lines) {
    const table = planned.tables.findIndex(({ target }) => displayName(target) === relation);
    const origin = of === sync ? origins.indexOf(source ?? '') : -1;
    if (table < 0 || origin < 0 || origin === index || !position) continue;
    held.set(table, (held.get(table) ?? new Map<number, Position>()).set(origin, parsePosition(position)));
  }
  return held;
}

/** Rows may have been copied more than once, from one member and from another. */
function copiedXidOf(lines: Noted['watermarks']): bigint {
  return lines.reduce((latest, [, , , xid]) => (xid && BigInt(xid) > latest ? BigInt(xid) : latest), 0n);
}
