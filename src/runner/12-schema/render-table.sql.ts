import { displayName, literal, quoteIdent } from '../../sql/quote.ts';
import type { ColumnDefinition, ConstraintDefinition, SequenceDefinition } from './table-definition.ts';
import { columnOnTarget, type WantedTable } from './wanted-table.ts';

/**
 * Purpose: the statements that make a table on a target as the source has it. Expressions are the server's own text, and are put into
 * the statements as they are: nothing here may indent a line, since it may stand in a literal.
 * Reads: nothing. Writes: the tables, in a transaction of `sarrio apply --with-schema`. Called by: schemaBlocks.
 *
 * Columns keep the source's names until all that speaks of them is there; then they are renamed, and the server renames them everywhere.
 */
export function tableStatements(table: WantedTable): readonly string[] {
  const { definition } = table;
  const name = displayName(table.name);
  return [
    createTable(table),
    ...definition.constraints.filter(({ kind }) => kind === 'c').map((part) => addConstraint(name, part)),
    ...definition.columns.flatMap((column) => columnSettings(name, column)),
    ...table.partitions.map((partition) => `alter table ${name} attach partition ${displayName(partition.name)} ${partition.definition.bound ?? ''}`),
    ...definition.constraints.filter(({ kind }) => 'pux'.includes(kind)).map((part) => addConstraint(name, part)),
    ...definition.constraints.flatMap((part) => indexOptions(table, part)),
    ...definition.indexes.map(({ name: index, isUnique, definition: text, prefix }) => {
      return `create ${isUnique ? 'unique ' : ''}index ${quoteIdent(index)} on ${name} using ${text.slice(prefix.length)}`;
    }),
    ...definition.statistics.map(({ definition: text, suffix }) => `${text.slice(0, -suffix.length)} from ${name}`),
    ...identityAndCluster(table),
    ...owned(table),
    ...comments(table),
    ...renames(table),
    ...table.computed.map((column) => `alter table ${name} add column ${quoteIdent(column.name)} ${column.type}`),
  ];
}

/** What the columns of a table and the tables of its source are called on the target. */
export type Naming = {
  readonly own: (column: string) => string;
  readonly find: (reference: string) => { readonly name: string; readonly table: WantedTable | undefined };
};

/** A foreign key as the target has it. */
export function keyText(part: ConstraintDefinition, { own, find }: Naming): string {
  const { reference, prefix } = part;
  const other = find(reference === null ? '' : displayName(reference));
  const theirs = columns(part.referenceColumns, (column) => columnOnTarget(other.table, column), part.isPeriod);
  const rest = part.definition.slice(prefix?.length ?? 0);
  return `foreign key (${columns(part.columns, own, part.isPeriod)}) references ${other.name} (${theirs})${rest}`;
}

/** Foreign keys come when all tables are there under their last names. */
export function foreignKeyStatements(table: WantedTable, find: Naming['find']): readonly string[] {
  const name = displayName(table.name);
  const naming = { own: (column: string) => columnOnTarget(table, column), find };
  return table.definition.constraints
    .filter(({ kind }) => kind === 'f')
    .flatMap((part) => [
      `alter table ${name} add constraint ${quoteIdent(part.name)} ${keyText(part, naming)}`,
      ...(part.comment === null ? [] : [`comment on constraint ${quoteIdent(part.name)} on ${name} is ${literal(part.comment).text}`]),
    ]);
}

/** A sequence that a column draws from. */
export function sequenceStatements(sequence: SequenceDefinition): readonly string[] {
  const kind = sequence.persistence === 'u' ? 'unlogged ' : '';
  return [`create ${kind}sequence ${displayName(sequence)} as ${sequence.type} ${sequenceOptions(sequence)}`, ...sequenceComment(sequence)];
}

function sequenceComment(sequence: SequenceDefinition): readonly string[] {
  return said(`sequence ${displayName(sequence)}`, sequence.comment);
}

function said(on: string, comment: string | null): readonly string[] {
  return comment === null ? [] : [`comment on ${on} is ${literal(comment).text}`];
}

function createTable({ definition, name }: WantedTable): string {
  const isPartition = definition.parent !== null;
  const lines = definition.columns.map((column) => `  ${columnText(column, isPartition)}`);
  const options = [...definition.options, ...definition.toastOptions.map((option) => `toast.${option}`)].map(optionText);
  return [
    `create ${definition.persistence === 'u' ? 'unlogged ' : ''}table ${displayName(name)} (\n${lines.join(',\n')}\n)`,
    ...(definition.partitionKey === null ? [] : [` partition by ${definition.partitionKey}`]),
    ...(options.length === 0 || definition.kind === 'v' || definition.kind === 'm' || definition.kind === 'f' ? [] : [` with (${options.join(', ')})`]),
  ].join('');
}

/** Since 17 a partition has the identity of its table, and gets it when it is attached. */
export function columnText(column: ColumnDefinition, isPartition: boolean): string {
  const identity = isPartition ? undefined : column.sequences?.find(({ isIdentity }) => isIdentity)?.sequence;
  const notNull = column.notNullConstraint;
  return [
    quoteIdent(column.name),
    column.type,
    ...(column.compression === null ? [] : [`compression ${column.compression === 'l' ? 'lz4' : 'pglz'}`]),
    ...(column.collation === null ? [] : [`collate ${column.collation}`]),
    ...(column.generated === '' ? [] : [`generated always as (${column.expression ?? ''}) ${column.generated === 's' ? 'stored' : 'virtual'}`]),
    ...(column.generated === '' && column.expression !== null ? [`default ${column.expression}`] : []),
    ...(identity === undefined
      ? []
      : [`generated ${column.identity === 'a' ? 'always' : 'by default'} as identity (sequence name ${displayName(identity)} ${sequenceOptions(identity)})`]),
    ...(column.notNull ? [`${notNull === null ? '' : `constraint ${quoteIdent(notNull.name)} `}not null${notNull?.noInherit ? ' no inherit' : ''}`] : []),
  ].join(' ');
}

function sequenceOptions({ start, increment, minimum, maximum, cache, cycles }: SequenceDefinition): string {
  return `start with ${start} increment by ${increment} minvalue ${minimum} maxvalue ${maximum} cache ${cache}${cycles ? ' cycle' : ' no cycle'}`;
}

function addConstraint(table: string, { name, definition }: { readonly name: string; readonly definition: string }): string {
  return `alter table ${table} add constraint ${quoteIdent(name)} ${definition}`;
}

function columnSettings(table: string, column: ColumnDefinition): readonly string[] {
  const storages = { p: 'plain', e: 'external', m: 'main', x: 'extended' } as const;
  const place = `alter table only ${table} alter column ${quoteIdent(column.name)}`;
  return [
    ...(column.storage === null ? [] : [`${place} set storage ${storages[column.storage]}`]),
    ...(column.statistics === null ? [] : [`${place} set statistics ${column.statistics}`]),
    ...(column.options.length === 0 ? [] : [`${place} set (${column.options.map(optionText).join(', ')})`]),
  ];
}

/** `fillfactor=70`, as the catalog has it. */
function optionText(option: string): string {
  const [, prefix = '', name = option, value = ''] = /^(toast\.)?([^=]*)=(.*)$/s.exec(option) ?? [];
  return `${prefix}${quoteIdent(name)} = ${literal(value).text}`;
}

function indexOptions({ name }: WantedTable, part: { readonly name: string; readonly indexOptions: readonly string[] }): readonly string[] {
  if (part.indexOptions.length === 0) return [];
  return [`alter index ${displayName({ schema: name.schema, name: part.name })} set (${part.indexOptions.map(optionText).join(', ')})`];
}

function identityAndCluster({ definition, name }: WantedTable): readonly string[] {
  const table = displayName(name);
  const has = (index: string | null): index is string => [...definition.constraints, ...definition.indexes].some((part) => part.name === index);
  const { identity, identityIndex, clusterIndex } = definition;
  return [
    ...(identity === 'f' ? [`alter table only ${table} replica identity full`] : []),
    ...(identity === 'n' ? [`alter table only ${table} replica identity nothing`] : []),
    ...(identity === 'i' && has(identityIndex) ? [`alter table only ${table} replica identity using index ${quoteIdent(identityIndex)}`] : []),
    ...(has(clusterIndex) ? [`alter table ${table} cluster on ${quoteIdent(clusterIndex)}`] : []),
  ];
}

function owned({ definition, name }: WantedTable): readonly string[] {
  return definition.columns.flatMap((column) =>
    (column.sequences ?? [])
      .filter(({ isOwned, isIdentity }) => isOwned && !isIdentity)
      .map(({ sequence }) => `alter sequence ${displayName(sequence)} owned by ${displayName(name)}.${quoteIdent(column.name)}`),
  );
}

function comments({ definition, name }: WantedTable): readonly string[] {
  const table = displayName(name);
  const isPartition = definition.parent !== null;
  const identities = definition.columns.flatMap(({ sequences }) => (isPartition ? [] : (sequences ?? []).filter(({ isIdentity }) => isIdentity)));
  return [
    ...said(`table ${table}`, definition.comment),
    ...definition.columns.flatMap((column) => said(`column ${table}.${quoteIdent(column.name)}`, column.comment)),
    ...definition.constraints.filter(({ kind }) => kind !== 'f').flatMap((part) => said(`constraint ${quoteIdent(part.name)} on ${table}`, part.comment)),
    ...definition.indexes.flatMap((part) => said(`index ${displayName({ schema: name.schema, name: part.name })}`, part.comment)),
    ...definition.statistics.flatMap((part) => said(`statistics ${displayName(part)}`, part.comment)),
    ...identities.flatMap(({ sequence }) => sequenceComment(sequence)),
  ];
}

/** In two steps where a new name is another column's old one. */
function renames({ definition, name, renames: wanted }: WantedTable): readonly string[] {
  const table = displayName(name);
  const rename = (from: string, to: string): string => `alter table ${table} rename column ${quoteIdent(from)} to ${quoteIdent(to)}`;
  const taken = new Set(definition.columns.map((column) => column.name));
  const pairs = [...wanted];
  if (!pairs.some(([, to]) => taken.has(to))) return pairs.map(([from, to]) => rename(from, to));
  return [...pairs.map(([from], index) => rename(from, `sarrio_renamed_${index}`)), ...pairs.map(([, to], index) => rename(`sarrio_renamed_${index}`, to))];
}

function columns(names: readonly string[], onTarget: (column: string) => string, isPeriod: boolean): string {
  return names.map((name, index) => `${isPeriod && index === names.length - 1 ? 'period ' : ''}${quoteIdent(onTarget(name))}`).join(', ');
}
