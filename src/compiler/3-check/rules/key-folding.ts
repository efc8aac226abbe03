import { displayName } from '../../../sql/quote.ts';
import { targetNameOf } from '../../2-model/target-name.ts';
import { keyOn } from '../../2-model/resolve-key.ts';
import type { Finding, Rule } from '../rule.ts';
import { pairs } from '../target-columns.ts';

/** SAR243. */
export const keyFolding: Rule = {
  code: 'SAR243',
  severity: 'error',
  summary: 'the key of a target tells other spellings apart than that of the source',
  explanation:
    'With a nondeterministic collation several spellings are one key. If only one side has it, one row there is two rows here, and a spelling that changes leaves the old row behind.',
  example: 'citext on one side, text on the other',
  cure: 'Use the same type and collation on both sides.',
  run: (input) =>
    pairs(input).flatMap(({ table, target, targetLabel, path }) => {
      const names = table.key.columns.map(({ name }) => targetNameOf(table, name)).filter((name) => name !== null);
      const own = keyOn(target, names);
      return table.key.columns.flatMap(({ name, folding }): Finding[] => {
        const there = own?.columns.find((column) => column.name === targetNameOf(table, name));
        if (!there || bare(there.folding) === bare(folding)) return [];
        const message = `key column ${name} of ${displayName(table.source)} compares ${how(folding)}, but ${there.name} of ${targetLabel} compares ${how(there.folding)}`;
        return [{ path, message, hint: 'Give the column the same collation on both sides and run `sarrio pull`, or choose another key.' }];
      });
    }),
};

function how(folding: string | null): string {
  return folding === null ? 'by bytes' : `by the nondeterministic collation ${folding}`;
}

/** Without its schema: the same collation may stand in another one. */
function bare(folding: string | null): string | null {
  return folding?.replace(/^("(?:[^"]|"")*"|[^".]+)\./, '') ?? null;
}
