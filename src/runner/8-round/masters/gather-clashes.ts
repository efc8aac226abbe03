import type { ClashingRow } from '../../../conflict/unique.ts';
import type { ClashingText, ClashPair, Member } from './member.ts';

/** A row that clashes, with what it holds. */
export type Found = ClashingRow & { readonly text: ClashingText };

export type FoundRows = ReadonlyMap<string, Found>;

type Places = { readonly place: Member; readonly others: readonly Member[] };

/** The rows of the pairs by their ids, with the member whose row each is. */
export async function gatherClashes(table: number, pairs: readonly ClashPair[], { place, others }: Places): Promise<FoundRows> {
  const texts = new Map(pairs.flatMap(({ one, other }) => [one, other]).map((text) => [idOf(text), text]));
  const arrived = [...texts.values()].filter(({ isStanding }) => !isStanding);
  const owners = await ownersOf(table, arrived, others);
  return new Map(
    [...texts].map(([id, text]) => {
      const member = text.isStanding ? place.index : (owners.get(text) ?? place.index);
      return [id, { id, member, at: text.at, text }];
    }),
  );
}

/** The first of the others that holds such a row. */
async function ownersOf(table: number, arrived: readonly ClashingText[], others: readonly Member[]): Promise<ReadonlyMap<ClashingText, number>> {
  const owners = new Map<ClashingText, number>();
  for (const other of others) {
    const left = arrived.filter((text) => !owners.has(text));
    if (left.length === 0) break;
    const rows = await other.rows(
      table,
      left.map(({ key }) => key),
    );
    for (const [index, text] of left.entries()) if (rows[index]?.isPresent) owners.set(text, other.index);
  }
  return owners;
}

export function foundRow(found: FoundRows, id: string): Found {
  const row = found.get(id);
  if (row === undefined) throw new Error('a clash of a row that is not there');
  return row;
}

export function idOf({ key }: ClashingText): string {
  return JSON.stringify(key);
}
