import type { NamedDefinition, TableSchema } from '../../../plan/schema-lock.ts';
import type { ModelMasterTable } from '../../2-model/model.ts';
import { masterTables, type Rule } from '../rule.ts';

/** SAR268. */
export const uniqueClash: Rule = {
  code: 'SAR268',
  severity: 'warning',
  summary: 'a table of a multi-master sync has a unique index beside its key',
  explanation: 'Two members can take the same value under different keys at the same time. No rule for conflicts of one key decides which of two rows stays.',
  run: (input) =>
    masterTables(input).flatMap(({ sync, table, label, path }) =>
      besideTheKey(table).map((what) => ({
        path,
        message: `${label} has ${what} beside its key: two members can take one value for two rows, and then sync '${sync.name}' stops until one of the rows is changed by hand`,
        hint: 'Where that can happen, put what tells the members apart into the index.',
      })),
    ),
};

/** SAR273. */
export const exclusionClash: Rule = {
  code: 'SAR273',
  severity: 'warning',
  summary: 'a table of a multi-master sync has an exclusion constraint',
  explanation: 'Two members can each take a row that excludes the other one. No rule for conflicts of one key decides which of them stays.',
  run: (input) =>
    masterTables(input).flatMap(({ sync, table, label, path }) =>
      (table.reference.source.exclusions ?? []).map(({ name }) => ({
        path,
        message: `${label} has the exclusion constraint ${name}: two members can take rows that exclude each other, and then sync '${sync.name}' stops until one of them is changed by hand`,
        hint: 'Where that can happen, put what tells the members apart into the constraint.',
      })),
    ),
};

function besideTheKey({ reference }: ModelMasterTable): readonly string[] {
  const { key, source } = reference;
  const wanted = key.columns.map(({ name }) => name);
  // What holds the whole key is unique by the key alone.
  const others = source.keys.filter(({ columns }) => !wanted.every((name) => columns.some((column) => column.name === name)));
  return [...others.map(({ name, columns }) => `the unique index ${name} on (${columns.map((column) => column.name).join(', ')})`), ...otherUnique(source)];
}

function otherUnique({ otherUnique: indexes = [] }: TableSchema): readonly string[] {
  return indexes.map(({ name, definition }: NamedDefinition) => `the unique index ${name} (${definition})`);
}
