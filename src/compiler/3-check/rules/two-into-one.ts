import { displayName } from '../../../sql/quote.ts';
import { type Finding, placedTables, type PlacedTable, type Rule } from '../rule.ts';

/** SAR211. */
export const twoIntoOne: Rule = {
  code: 'SAR211',
  severity: 'error',
  summary: 'two streams write one target table',
  explanation: 'Each would delete and overwrite what the other wrote, and no comparison could ever say that the target is right.',
  example: "two syncs with targets: ['west'] and tables: ['public.orders']",
  cure: 'Take the table out of one of them, or give it another name there with `rename`.',
  run: (input) => {
    const writers = new Map<string, PlacedTable>();
    return placedTables(input).flatMap((placed) =>
      placed.flow.targets.flatMap((database): Finding[] => {
        const target = JSON.stringify([database, placed.table.targetName]);
        const other = writers.get(target);
        if (!other) {
          writers.set(target, placed);
          return [];
        }
        if (other === placed || areMasters(other, placed)) return [];
        const message = `${describe(placed)} and ${describe(other)} both go to ${displayName(placed.table.targetName)} in database '${database}'`;
        return [{ path: placed.path, message, hint: 'Give one of them another name there with `rename`, or leave it out.' }];
      }),
    );
  },
};

/** Members write each other's tables. A table may also stand in several multi-master syncs, which pass changes on to each other; those that share two members are a ring (SAR276). */
function areMasters({ sync: one }: PlacedTable, { sync: other }: PlacedTable): boolean {
  return one.mode === 'multi-master' && other.mode === 'multi-master';
}

function describe({ sync, table }: PlacedTable): string {
  return `${displayName(table.source)} of sync '${sync.name}'`;
}
