import type { TableShape } from '../../../plan/plan.ts';
import { displayName } from '../../../sql/quote.ts';
import { readTables, type TableFacts } from '../../5-inspect/read-tables.ts';
import { sourceFaults, targetFaults } from '../changed-tables/shape-faults.ts';
import { tableOf } from './member-reads.ts';
import type { MemberState } from './member-state.ts';
/** What is wrong with tables at a member, by ordinal; none of those that fit. */
export type Unfit = ReadonlyMap<number, readonly string[]>;

/** Thrown out of a round: a table at some member is not what the plan was compiled for, and takes part all the same. Nothing of the round stays. */
export class TablesUnfit extends Error {
  override readonly name = 'TablesUnfit';

  constructor() {
    super('a table is not what the plan was compiled for');
  }
}

/** Looks exactly at those of the tables whose token is another one than at the last look, or is not known. */
export async function judge(state: MemberState, tokens: ReadonlyMap<number, string | null>): Promise<void> {
  const moved = [...tokens].filter(([ordinal, token]) => token === null || state.verdicts.get(ordinal)?.token !== token);
  if (moved.length === 0) return;
  const facts = await readTables(
    state.session,
    moved.map(([ordinal]) => tableOf(state, ordinal).target),
    null,
  );
  for (const [ordinal, token] of moved) {
    const name = displayName(tableOf(state, ordinal).target);
    state.verdicts.set(ordinal, { token, faults: faultsOf(state.shapes[name], facts.get(name)) });
  }
}

/** Every member is read and written. A table that the plan says nothing of cannot be judged. */
function faultsOf(shape: TableShape | undefined, facts: TableFacts | undefined): readonly string[] {
  return shape === undefined ? [] : [...new Set([...sourceFaults(shape, facts), ...targetFaults(shape, facts)])];
}

/** As far as anybody has looked. */
export function unfitAt({ verdicts }: MemberState): Unfit {
  return new Map([...verdicts].flatMap(([ordinal, { faults }]) => (faults.length > 0 ? [[ordinal, faults]] : [])));
}
