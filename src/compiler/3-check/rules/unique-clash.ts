import type { KeySchema } from '../../../plan/schema-lock.ts';
import type { ModelMasterTable } from '../../2-model/model.ts';
import { uniqueBesideKey, visibleUnique } from '../../2-model/unique-indexes.ts';
import { masterTables, type Rule } from '../rule.ts';

/** SAR268. */
export const uniqueClash: Rule = {
  code: 'SAR268',
  severity: 'warning',
  summary: 'a table of a multi-master sync has a unique index beside its key',
  explanation: 'Two members can take the same value under different keys at the same time. No rule for conflicts of one key decides which of two rows stays.',
  example: 'a unique index on customers.email',
  cure: "Say onUnique: 'keep-earliest', or another choice.",
  run: (input) =>
    masterTables(input)
      .filter(({ table }) => table.unique === null)
      .flatMap(({ sync, table, label, path }) =>
        [...uniqueBesideKey(table.reference).map(plainIndex), ...otherUnique(table)].map((what) => ({
          path,
          message: `${label} has ${what} beside its key: two members can take one value for two rows, and then the table stops in sync '${sync.name}' until one of the rows is changed by hand`,
          hint: "Say with onUnique which row stays ('keep-earliest', 'keep-latest', 'park', a list of members, or a function), or put what tells the members apart into the index.",
        })),
      ),
};

/** SAR300. */
export const uniqueUnseen: Rule = {
  code: 'SAR300',
  severity: 'warning',
  summary: 'onUnique does not see every unique index of a table',
  explanation:
    'Rounds compare the values of plain columns, as the index compares them. Partial indexes, indexes of expressions or of generated columns, and nulls that are not distinct are left to the server, which then does not take the rows.',
  example: "a unique index on lower(email), onUnique: 'park'",
  cure: 'Let the application see to it, or say onException.',
  run: (input) =>
    masterTables(input)
      .filter(({ table }) => table.unique !== null)
      .flatMap(({ sync, table, label, path }) => {
        const seen = visibleUnique(table.reference);
        const unseen = uniqueBesideKey(table.reference).filter((index) => !seen.includes(index));
        return [...unseen.map(plainIndex), ...otherUnique(table)].map((what) => ({
          path,
          message: `${label} has ${what}, which onUnique does not see: when two members take one value for two rows, the table stops in sync '${sync.name}' until one of the rows is changed by hand`,
          hint: 'Where that can happen, put what tells the members apart into the index.',
        }));
      }),
};

/** SAR273. */
export const exclusionClash: Rule = {
  code: 'SAR273',
  severity: 'warning',
  summary: 'a table of a multi-master sync has an exclusion constraint',
  explanation: 'Two members can each take a row that excludes the other one. No rule for conflicts of one key decides which of them stays.',
  example: 'EXCLUDE USING gist (room WITH =, during WITH &&)',
  cure: 'Say onException what becomes of such a row, or see to it in the application.',
  run: (input) =>
    masterTables(input).flatMap(({ sync, table, label, path }) =>
      (table.reference.source.exclusions ?? []).map(({ name }) => ({
        path,
        message: `${label} has the exclusion constraint ${name}: two members can take rows that exclude each other, and then the table stops in sync '${sync.name}' until one of them is changed by hand`,
        hint: 'Where that can happen, put what tells the members apart into the constraint.',
      })),
    ),
};

function plainIndex({ name, columns }: KeySchema): string {
  return `the unique index ${name} on (${columns.map((column) => column.name).join(', ')})`;
}

function otherUnique({ reference }: ModelMasterTable): readonly string[] {
  return (reference.source.otherUnique ?? []).map(({ name, definition }) => `the unique index ${name} (${definition})`);
}
