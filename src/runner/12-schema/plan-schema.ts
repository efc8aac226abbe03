import type { SchemaBlock, MadeObject } from '../../plan/schema-file.ts';
import type { SchemaWish } from '../../plan/schema-wish.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';
import type { Session } from '../postgres/session.ts';
import { differences } from './differences.ts';
import { type Finding, findingsOf } from './findings.ts';
import { readNeeds } from './needs.ts';
import { missingParts } from './missing-parts.ts';
import { foreignKeyStatements, tableStatements } from './render-table.sql.ts';
import { readTables, type TableDefinition } from './table-definition.ts';
import { expressionType } from './tables.sql.ts';
import { leaveOutKeys, type KeptKeys } from './foreign-keys.ts';
import { wantedTable, withPartitions, type WantedTable } from './wanted-table.ts';
import type { SourceParts } from './source-parts.ts';

/** What is to be made in one database, and what is to be said of it. With an error among the findings nothing may be made. */
export type SchemaPlan = {
  readonly objects: readonly MadeObject[];
  readonly blocks: readonly SchemaBlock[];
  /** Tables of the target's that foreign keys of the new ones point to. */
  readonly locks: readonly QualifiedName[];
  readonly notes: readonly string[];
  readonly findings: readonly Finding[];
};

type Options = {
  readonly target: Session;
  /** Sessions of the sources, by name. */
  readonly sources: ReadonlyMap<string, Session>;
  /** All of them for this target. */
  readonly wishes: readonly SchemaWish[];
};

/** Compares what a target has with what its syncs want there. Reads catalogs only. */
export async function planSchema({ target, sources, wishes }: Options): Promise<SchemaPlan> {
  const there = await readTables(
    target,
    wishes.map(({ name }) => name),
  );
  const perSource = [];
  for (const [name, session] of sources) {
    const own = firstOfEach(wishes).filter(({ source }) => source === name);
    if (own.length > 0) perSource.push(await readSource({ session, wishes: own, there }));
  }
  const missing = perSource.flatMap((source) => source.missing);
  const parts = await missingParts({ target, sources: perSource });
  const keys = leaveOutKeys(perSource.map(({ all, missing: made }) => ({ all, made })));
  const notes = [...missing.flatMap(withPartitions).flatMap(leftOutNotes), ...keys.flatMap(({ notes: said }) => said)];
  return {
    objects: [...parts.objects, ...missing.flatMap(withPartitions).map(({ name }) => ({ kind: 'table' as const, schema: name.schema, name: name.name }))],
    blocks: [...parts.blocks, ...missing.flatMap(withPartitions).map(tableBlock), ...keys.flatMap(keyBlocks)],
    locks: keys.flatMap(lockedBy),
    notes,
    findings: [
      ...parts.findings,
      ...findingsOf({ target, tables: missing, notes }),
      ...leaveOutKeys(perSource.map(({ all }) => ({ all, made: all }))).flatMap((compared) =>
        compared.tables.flatMap((table) => differenceFinding(table, there, compared.find)),
      ),
    ],
  };
}

async function readSource(options: { session: Session; wishes: readonly SchemaWish[]; there: readonly TableDefinition[] }): Promise<SourceParts> {
  const { session, wishes, there } = options;
  const definitions = await readTables(
    session,
    wishes.map(({ table }) => table),
  );
  const has = new Set(there.map(displayName));
  const all: WantedTable[] = [];
  for (const wish of wishes) {
    const types = has.has(displayName(wish.name)) ? new Map<string, string>() : await computedTypes(session, wish);
    const table = wantedTable({ wish, definitions, types });
    if (table) all.push(table);
  }
  const missing = all.filter(({ name }) => !has.has(displayName(name)));
  return { session, all, missing, needs: await readNeeds(session, missing) };
}

/** A table that two syncs bring is made as the first of them wants it; whether the other can live with that, compile says. */
function firstOfEach(wishes: readonly SchemaWish[]): readonly SchemaWish[] {
  const first = new Map<string, SchemaWish>();
  for (const wish of wishes) if (!first.has(displayName(wish.name))) first.set(displayName(wish.name), wish);
  return [...first.values()];
}

async function computedTypes(session: Session, { table, columns }: SchemaWish): Promise<ReadonlyMap<string, string>> {
  const types = new Map<string, string>();
  for (const column of columns) {
    if (column.kind !== 'computed') continue;
    const { rows } = await session.query(expressionType(column.expression, displayName(table)));
    const type = rows[0]?.['type'] ?? 'text';
    types.set(column.name, type === 'unknown' ? 'text' : type);
  }
  return types;
}

function tableBlock(table: WantedTable): SchemaBlock {
  return { kind: 'table', name: displayName(table.name), statements: tableStatements(table) };
}

function keyBlocks({ tables, find }: KeptKeys): readonly SchemaBlock[] {
  return tables
    .map((table) => ({ kind: 'foreign-keys', name: displayName(table.name), statements: foreignKeyStatements(table, find) }))
    .filter(({ statements }) => statements.length > 0);
}

function lockedBy({ tables, find }: KeptKeys): readonly QualifiedName[] {
  const made = new Set(tables.map(({ name }) => displayName(name)));
  const others = tables.flatMap(({ definition }) =>
    definition.constraints.flatMap(({ reference }) => (reference === null ? [] : [find(displayName(reference)).table])),
  );
  const locked = others.flatMap((table) => (table && !made.has(displayName(table.name)) ? [table.name] : []));
  return [...new Map(locked.map(({ schema, name }) => [displayName({ schema, name }), { schema, name }])).values()];
}

function leftOutNotes({ name, leftOut }: WantedTable): readonly string[] {
  return leftOut.length === 0
    ? []
    : [
        `${displayName(name)} is made without ${leftOut.join(', ')}: not all of its columns flow, or it is not valid, and rows of before it might not satisfy it`,
      ];
}

function differenceFinding(table: WantedTable, there: readonly TableDefinition[], find: KeptKeys['find']): readonly Finding[] {
  const found = there.find((each) => displayName(each) === displayName(table.name));
  const differs = found ? differences(table, found, find) : [];
  if (differs.length === 0) return [];
  const message = `${displayName(table.name)} is there and stays as it is, although it differs from ${displayName(table.definition)} of ${table.wish.source}: ${differs.join('; ')}`;
  return [
    {
      code: 'SAR444',
      severity: 'warning',
      message,
      hint: 'Nothing that exists is ever altered here. Change it by hand, or with `sarrio migrate`, where it should be alike.',
    },
  ];
}
