import type { TableSchema } from '../../../plan/schema-lock.ts';
import { displayName } from '../../../sql/quote.ts';
import { type Finding, masterTables, type Rule } from '../rule.ts';

/** SAR267. */
export const tooFewSlots: Rule = {
  code: 'SAR267',
  severity: 'error',
  summary: "sequences: 'interleave' has fewer slots than members",
  explanation: 'Each member gives out the values of one slot alone; two in one slot would give the same values.',
  example: 'three members, interleave: { slots: 2 }',
  cure: 'Give at least as many slots as there may ever be members.',
  run: ({ model }) =>
    model.syncs.flatMap((sync): readonly Finding[] => {
      if (sync.mode !== 'multi-master' || sync.sequences === null || sync.sequences === 'ignore') return [];
      const { slots } = sync.sequences;
      if (slots >= sync.members.length) return [];
      const path = ['syncs', sync.name, 'sequences', 'interleave', 'slots'];
      const hint =
        'Write at least as many slots as there are members, better as many as there may ever be: the number cannot grow without new starts everywhere.';
      return [{ path, message: `${slots} slots are too few for ${sync.members.length} members`, hint }];
    }),
};

/** SAR312. */
export const sequencesUnknown: Rule = {
  code: 'SAR312',
  severity: 'error',
  summary: 'it is not known which sequence a column of an interleaved sync counts by',
  explanation: 'A default that looks its sequence up by a text leaves no trace in the catalog, nor is it in a lock file of before sequences were read.',
  example: "default nextval('order_id_seq'::text)",
  cure: "default nextval('order_id_seq'::regclass), then sarrio pull.",
  run: (input) =>
    masterTables(input).flatMap(({ sync, table, label, path }) => {
      if (sync.sequences === null || sync.sequences === 'ignore') return [];
      const columns = new Set(Object.values(table.schemas).flatMap(withoutSequence));
      return [...columns].map((name) => ({
        path,
        message: `the schema lock does not say which sequence column ${name} of ${label} counts by`,
        hint: "Run `sarrio pull`; where that does not help, let its default be nextval('…'::regclass).",
      }));
    }),
};

/** SAR313. */
export const sequenceInTwoSyncs: Rule = {
  code: 'SAR313',
  severity: 'error',
  summary: 'one sequence would be interleaved in two ways',
  explanation: 'A sequence has one increment; two syncs that share it need the same slots, and the member the same place in both.',
  example: 'two tables share a sequence, slots: 2 and slots: 8',
  cure: 'Use the same slots and the same order of members in both.',
  run: (input) => {
    const known = new Map<string, { readonly sync: string; readonly ways: string }>();
    return masterTables(input).flatMap(({ sync, table, path }): readonly Finding[] => {
      if (sync.sequences === null || sync.sequences === 'ignore') return [];
      const { slots } = sync.sequences;
      return Object.entries(table.schemas).flatMap(([member, schema]) =>
        schema.columns
          .flatMap(({ sequences = [] }) => sequences)
          .flatMap((sequence): readonly Finding[] => {
            const ways = `${sync.members.indexOf(member) + 1} of ${slots}`;
            const key = JSON.stringify([member, displayName(sequence)]);
            const other = known.get(key) ?? { sync: sync.name, ways };
            known.set(key, other);
            if (other.ways === ways) return [];
            const message = `sequence ${displayName(sequence)} of '${member}' has slot ${ways} here, but slot ${other.ways} in sync '${other.sync}'`;
            return [
              { path, message, hint: 'Give both syncs the same slots and list the member at the same place, or give the tables sequences of their own.' },
            ];
          }),
      );
    });
  },
};

function withoutSequence({ columns }: TableSchema): readonly string[] {
  return columns
    .filter(({ identity, keyDefault = '', sequences = [] }) => sequences.length === 0 && (identity !== 'none' || keyDefault.includes('nextval(')))
    .map(({ name }) => name);
}
