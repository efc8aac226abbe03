import type { ColumnChoice } from '../../index.ts';
import type { ColumnSchema, TableSchema } from '../../plan/schema-lock.ts';
import { displayName } from '../../sql/quote.ts';
import { didYouMean } from '../1-load/did-you-mean.ts';
import type { ConfigPath, Fault } from '../1-load/fault.ts';
import { error, warning } from './faults.ts';
import type { ModelColumn } from './model.ts';
import type { Selected } from './select-tables.ts';

type Outcome = { readonly columns: readonly ModelColumn[]; readonly faults: readonly Fault[] };

/** What flows, in the order of the source's columns, then the computed ones. `targets` are those that the lock knows. */
export function resolveColumns(selected: Selected, where: { missingColumns: 'refuse' | 'omit'; targets: readonly TableSchema[] }): Outcome {
  const { targets } = where;
  const { table, entry, isPattern } = selected;
  const choice = isPattern ? { omit: entry.columns?.omit ?? [] } : (entry.columns ?? {});
  const path = [...selected.path.slice(0, -1), 'columns'];
  const computed = Object.entries(choice.compute ?? {}).map(([target, expression]): ModelColumn => {
    return { target, from: { kind: 'computed', expression } };
  });
  const replaced = new Set(computed.map(({ target }) => target));
  const plain = table.columns
    .filter((column) => flows(column, choice))
    .map((column): ModelColumn => {
      return { target: renamed(column.name, choice), from: { kind: 'column', column } };
    });
  const columns = [...plain.filter(({ target }) => !replaced.has(target)), ...computed];
  const unknown = isPattern ? [] : unknownColumns({ table, choice, path });
  const omitted = where.missingColumns === 'omit' ? columns.filter((column) => isMissingEverywhere(column, targets)) : [];
  const written = columns.filter((column) => !isGeneratedEverywhere(column, targets) && !omitted.includes(column));
  return {
    columns: written,
    faults: [
      ...unknown,
      ...omitted.map((column) => omission(selected, column)),
      ...sameNames({ table, columns, path }),
      ...halfGenerated({ columns: written, targets, path: selected.path }),
    ],
  };
}

/** The names in `columns` that no table has which a pattern took. */
export function unknownOmits(selected: readonly Selected[]): Fault[] {
  const [first] = selected;
  const known = new Set(selected.flatMap(({ table }) => table.columns.map(({ name }) => name)));
  return (first?.entry.columns?.omit ?? []).flatMap((name, position) => {
    if (known.has(name) || !first) return [];
    const message = `no table of ${first.entry.table} has a column ${name}`;
    return [error('SAR206', [...first.path.slice(0, -1), 'columns', 'omit', position], message, didYouMean(name, [...known]))];
  });
}

function flows({ name }: ColumnSchema, choice: ColumnChoice): boolean {
  return choice.pick ? choice.pick.includes(name) : !choice.omit?.includes(name);
}

function renamed(name: string, choice: ColumnChoice): string {
  return Object.hasOwn(choice.rename ?? {}, name) ? (choice.rename?.[name] ?? name) : name;
}

function unknownColumns(options: { table: TableSchema; choice: ColumnChoice; path: ConfigPath }): Fault[] {
  const { table, choice, path } = options;
  const known = table.columns.map(({ name }) => name);
  const listed = (['pick', 'omit'] as const).flatMap((kind) => (choice[kind] ?? []).map((name, position) => ({ name, place: [...path, kind, position] })));
  const renames = Object.keys(choice.rename ?? {}).map((name) => ({ name, place: [...path, 'rename', name] }));
  return [...listed, ...renames]
    .filter(({ name }) => !known.includes(name))
    .map(({ name, place }) => error('SAR206', place, `${displayName(table)} has no column ${name}`, didYouMean(name, known), 'key'));
}

function sameNames(options: { table: TableSchema; columns: readonly ModelColumn[]; path: ConfigPath }): Fault[] {
  const { table, columns, path } = options;
  const names = columns.map(({ target }) => target);
  const twice = [...new Set(names.filter((name, position) => names.indexOf(name) !== position))];
  return twice.map((name) =>
    error('SAR209', [...path, 'rename'], `two columns of ${displayName(table)} go to one column ${name} of the target`, 'Omit one of them, or rename it.'),
  );
}

function isMissingEverywhere({ target, from }: ModelColumn, targets: readonly TableSchema[]): boolean {
  return from.kind === 'column' && targets.length > 0 && !targets.some((table) => table.columns.some(({ name }) => name === target));
}

function omission({ table, path }: Selected, { target }: ModelColumn): Fault {
  const message = `column ${target} of ${displayName(table)} does not flow: no target has it`;
  return warning('SAR244', path, message, 'Add it on the targets and run `sarrio pull`, or say with columns.omit that it is meant to stay.');
}

function isGeneratedEverywhere({ target, from }: ModelColumn, targets: readonly TableSchema[]): boolean {
  return from.kind === 'column' && targets.length > 0 && targets.every((table) => isGenerated(table, target));
}

function isGenerated(table: TableSchema, column: string): boolean {
  return table.columns.some(({ name, generated }) => name === column && generated !== 'none');
}

function halfGenerated(options: { columns: readonly ModelColumn[]; targets: readonly TableSchema[]; path: ConfigPath }): Fault[] {
  const { columns, targets, path } = options;
  return columns
    .filter(({ target }) => targets.some((table) => isGenerated(table, target)))
    .map(({ target, from }) => {
      const message =
        from.kind === 'computed'
          ? `the computed column ${target} is a generated column on the target`
          : `column ${target} is generated on some of the targets and not on others`;
      return error('SAR224', path, message, 'A generated column cannot be written: make the targets alike, or leave it out of what flows.');
    });
}
