import fc from 'fast-check';
import type { RandomTable } from './random-tables.ts';
import { TWO_SPELLINGS, TYPE_VALUES } from './type-values.ts';

const seed = fc.integer({ min: 0, max: 40 });
const rows = fc.constantFrom(1, 3, 8, 260);
const few = fc.integer({ min: 1, max: 9 });

/** One statement over the table, or several that belong together. What violates a constraint is left out by `tried`. */
function randomStatement(table: RandomTable): fc.Arbitrary<string> {
  const name = `public."${table.name}"`;
  const all = table.columns.map((column) => column.name).join(', ');
  const insert = (count: number, from: number): string =>
    `insert into ${name} (${all}${table.unique === 'none' ? '' : ', u'}) select ${table.columns.map((column) => valueFor(column, from)).join(', ')}${
      table.unique === 'none' ? '' : `, s + ${from}`
    } from generate_series(1, ${count}) as s`;
  const settable = table.columns.filter((column) => column.name !== 'g');
  const column = fc.constantFrom(...settable);
  const g = (change: string): string => `update ${name} set g = ${change}`;
  const unique =
    table.unique === 'none'
      ? []
      : [fc.tuple(few, few).map(([a, b]) => `update ${name} set u = ${a} + ${b} - u where u in (${a}, ${b})`), fc.constant(`update ${name} set u = u + 1`)];
  return fc.oneof(
    { arbitrary: fc.tuple(rows, seed).map(([count, from]) => `${insert(count, from)} on conflict do nothing`), weight: 6 },
    fc.tuple(rows, seed).map(([count, from]) => insert(count, from)),
    {
      arbitrary: fc
        .tuple(column, seed, few)
        .map(([each, from, part]) => `update ${name} set ${each.name} = ${valueFor(each, from, 'g')} where g % ${part} = 0`),
      weight: 4,
    },
    fc.tuple(few, few).map(([a, b]) => g(`${a} + ${b} - g where g in (${a}, ${b})`)),
    fc.constantFrom(g('g + 1'), g('-g')),
    fc.tuple(few, few).map(([part, rest]) => `delete from ${name} where g % ${part} = ${rest % part}`),
    ...unique,
    ...respellings(table).map((arbitrary) => ({ arbitrary, weight: 2 })),
    { arbitrary: upsert(table, insert), weight: 2 },
    fc.tuple(seed, few).map(([from, part]) => `delete from ${name} where g % ${part} = 0; ${insert(8, from)} on conflict do nothing`),
    fc.constant(`truncate ${name}`),
  );
}

/** A key that stays equal and is spelled otherwise: an update of the row, with the new spelling. */
function respellings(table: RandomTable): readonly fc.Arbitrary<string>[] {
  return table.columns.flatMap(({ name, type }) => {
    const pair = table.key.includes(name) ? TWO_SPELLINGS[type] : undefined;
    if (!pair) return [];
    const [one, other] = pair.map((value) => `(${value})::${type}`);
    return [
      fc.constant(`update public."${table.name}" set ${name} = case when ${name}::text = (${one})::text then ${other} else ${one} end where ${name} = ${one}`),
    ];
  });
}

/** Only a key that is not deferrable can be an arbiter; with another one the statement fails and is left out. */
function upsert(table: RandomTable, insert: (count: number, from: number) => string): fc.Arbitrary<string> {
  const set = table.columns.filter(({ name }) => !table.key.includes(name)).map(({ name }) => `${name} = excluded.${name}`);
  const update = set.length === 0 ? 'do nothing' : `do update set ${set.join(', ')}`;
  return fc.tuple(few, seed).map(([count, from]) => `${insert(count, from)} on conflict (${table.key.join(', ')}) ${update}`);
}

function valueFor(column: RandomTable['columns'][number], from: number, row = 's'): string {
  if (column.name === 'g') return row;
  const values = TYPE_VALUES[column.type] ?? [];
  const type = column.type;
  const cases = values.map((value, index) => `when ${index} then (${value})::${type}`).join(' ');
  const value = `case (abs(${row}) + ${from}) % ${values.length} ${cases} end`;
  return column.mayBeNull ? `case when (abs(${row}) + ${from}) % 5 = 4 then null else ${value} end` : value;
}

const VIOLATIONS =
  'unique_violation or check_violation or not_null_violation or invalid_column_reference or object_not_in_prerequisite_state or cardinality_violation';
const tried = (text: string): string => `do $do$ begin ${text}; set constraints all immediate; exception when ${VIOLATIONS} then null; end $do$`;

/** A transaction of a few statements over any of the tables, some undone by a savepoint, now and then all of it. */
export function randomTransaction(tables: readonly RandomTable[]): fc.Arbitrary<string> {
  const statement = fc.oneof(...tables.map(randomStatement)).map(tried);
  const undone = statement.map((text) => `savepoint a; ${text}; rollback to a`);
  const step = fc.oneof({ arbitrary: statement, weight: 6 }, undone);
  return fc
    .record({ steps: fc.array(step, { minLength: 1, maxLength: 5, size: 'max' }), end: fc.constantFrom('commit', 'commit', 'commit', 'commit', 'rollback') })
    .map(({ steps, end }) => `begin; set constraints all deferred; ${steps.join(';\n')}; ${end}`);
}
