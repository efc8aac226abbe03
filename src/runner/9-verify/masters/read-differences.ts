import type { PlanMasterTable } from '../../../plan/plan.ts';
import type { Session } from '../../postgres/session.ts';
import type { MastersDifference, MastersDifferences, MemberWrites } from './masters-result.ts';
import type { Party } from './party.ts';

type Of = { readonly table: PlanMasterTable; readonly parties: readonly Party[] };

/** Reads what the comparison left in the session's table of differences: the counts, and the first `limit` keys. */
export async function readMastersDifferences(place: Session, of: Of & { readonly limit: number }): Promise<MastersDifferences> {
  const { table, parties, limit } = of;
  const { verify } = table.masters;
  const counts = (await place.query(verify.countDifferences)).rows[0];
  const absent = (await place.query(verify.countAbsent, [indexes(parties)])).rows;
  const columns = (await place.query(verify.countColumns)).rows;
  const [listed] = await place.batch([{ text: verify.listDifferences, values: [String(limit)] }]);
  const names = table.columns.map(({ name }) => name);
  return {
    keys: Number(counts?.['keys']),
    different: Number(counts?.['different']),
    lacking: Object.fromEntries(absent.map((row) => [nameOf(parties, Number(row['member'])), Number(row['keys'])])),
    inFlight: Number(counts?.['in_flight']),
    columns: columns.map((row) => ({ column: names[Number(row['column']) - 1] ?? '', rows: Number(row['rows']) })),
    listed: (listed?.lists ?? []).map((list) => difference(list, of)),
  };
}

/** What would make each of the others equal to one member. */
export async function readWrites(place: Session, { table, parties, from }: Of & { readonly from: Party }): Promise<readonly MemberWrites[]> {
  const { rows } = await place.query(table.masters.verify.countWrites, [String(from.index), indexes(parties)]);
  return parties.flatMap(({ index, name }) => {
    const row = rows.find((each) => Number(each['member']) === index);
    const [inserts, updates, deletes] = [Number(row?.['inserts'] ?? 0), Number(row?.['updates'] ?? 0), Number(row?.['deletes'] ?? 0)];
    return inserts + updates + deletes > 0 ? [{ member: name, inserts, updates, deletes }] : [];
  });
}

function difference(list: readonly (string | null)[], { table, parties }: Of): MastersDifference {
  const [members, versions, columns, ...key] = list;
  const [having, hashes] = [JSON.parse(members ?? '[]') as readonly number[], JSON.parse(versions ?? '[]') as readonly string[]];
  const alike = new Map<string, string[]>();
  having.forEach((member, place) => {
    const hash = hashes[place] ?? '';
    alike.set(hash, [...(alike.get(hash) ?? []), nameOf(parties, member)]);
  });
  return {
    key: Object.fromEntries(table.key.map((name, index) => [name, key[index] ?? ''])),
    have: [...alike.values()],
    lack: parties.filter(({ index }) => !having.includes(index)).map(({ name }) => name),
    columns: (JSON.parse(columns ?? '[]') as readonly number[]).map((number) => table.columns[number - 1]?.name ?? ''),
  };
}

function indexes(parties: readonly Party[]): string {
  return `{${parties.map(({ index }) => index).join(',')}}`;
}

function nameOf(parties: readonly Party[], index: number): string {
  return parties.find((party) => party.index === index)?.name ?? '';
}
