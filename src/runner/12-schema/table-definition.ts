import type { QualifiedName } from '../../sql/quote.ts';
import type { Session } from '../postgres/session.ts';
import { COLUMNS, CONSTRAINTS, INDEXES, RELATIONS, STATISTICS } from './tables.sql.ts';

/** A table as one database's catalog has it, with everything that it is made from. */
export type TableDefinition = Relation & {
  readonly columns: readonly ColumnDefinition[];
  readonly constraints: readonly ConstraintDefinition[];
  readonly indexes: readonly IndexDefinition[];
  readonly statistics: readonly StatisticsDefinition[];
};

type Relation = QualifiedName & {
  readonly oid: string;
  /** `relkind`. */
  readonly kind: 'r' | 'p' | 'f' | 'v' | 'm';
  readonly persistence: 'p' | 'u' | 't';
  readonly parent: QualifiedName | null;
  readonly bound: string | null;
  readonly partitionKey: string | null;
  readonly partitionColumns: readonly string[];
  readonly partitionExpressions: boolean;
  readonly method: string | null;
  readonly options: readonly string[];
  readonly toastOptions: readonly string[];
  readonly isTyped: boolean;
  readonly inherits: boolean;
  /** `relreplident`. */
  readonly identity: string;
  readonly identityIndex: string | null;
  readonly clusterIndex: string | null;
  /** What a table has besides, and what is never copied. */
  readonly leftBehind: readonly string[];
  readonly comment: string | null;
};

export type SequenceDefinition = QualifiedName & {
  readonly type: string;
  readonly persistence: string;
  readonly start: string;
  readonly increment: string;
  readonly minimum: string;
  readonly maximum: string;
  readonly cache: string;
  readonly cycles: boolean;
  readonly comment: string | null;
};

export type ColumnDefinition = {
  readonly relation: string;
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly identity: '' | 'a' | 'd';
  readonly generated: '' | 's' | 'v';
  readonly expression: string | null;
  readonly collation: string | null;
  readonly storage: 'p' | 'e' | 'm' | 'x' | null;
  readonly compression: 'p' | 'l' | null;
  readonly statistics: string | null;
  readonly options: readonly string[];
  readonly comment: string | null;
  readonly uses: readonly string[];
  readonly sequences: readonly { readonly isIdentity: boolean; readonly isOwned: boolean; readonly sequence: SequenceDefinition }[] | null;
  readonly notNullConstraint: { readonly name: string; readonly validated: boolean; readonly noInherit: boolean } | null;
};

export type ConstraintDefinition = {
  readonly relation: string;
  readonly name: string;
  readonly kind: 'p' | 'u' | 'x' | 'c' | 'f';
  readonly definition: string;
  readonly isInherited: boolean;
  readonly columns: readonly string[];
  readonly uses: readonly string[];
  readonly reference: QualifiedName | null;
  readonly referenceColumns: readonly string[];
  readonly isPeriod: boolean;
  readonly isEnforced: boolean;
  readonly setsColumns: boolean;
  readonly nullsEqual: boolean;
  readonly indexOptions: readonly string[];
  readonly prefix: string | null;
  readonly comment: string | null;
};

export type IndexDefinition = {
  readonly relation: string;
  readonly name: string;
  readonly definition: string;
  readonly isUnique: boolean;
  readonly isValid: boolean;
  readonly prefix: string;
  readonly uses: readonly string[];
  readonly nullsEqual: boolean;
  readonly comment: string | null;
};

export type StatisticsDefinition = QualifiedName & {
  readonly relation: string;
  readonly definition: string;
  readonly suffix: string;
  readonly uses: readonly string[];
  readonly comment: string | null;
};

/** The tables of these names that the database has, and the partitions below them; five statements, however many they are. */
export async function readTables(session: Session, names: readonly QualifiedName[]): Promise<readonly TableDefinition[]> {
  const relations = await itemsOf<Relation>(session, RELATIONS, [JSON.stringify(names.map(({ schema, name }) => ({ schema, name })))]);
  const oids = [`{${relations.map(({ oid }) => oid).join(',')}}`];
  const columns = byRelation(await itemsOf<ColumnDefinition>(session, COLUMNS, oids));
  const constraints = byRelation(await itemsOf<ConstraintDefinition>(session, CONSTRAINTS, oids));
  const indexes = byRelation(await itemsOf<IndexDefinition>(session, INDEXES, oids));
  const statistics = byRelation(await itemsOf<StatisticsDefinition>(session, STATISTICS, oids));
  return relations.map((relation) => ({
    ...relation,
    columns: columns.get(relation.oid) ?? [],
    constraints: constraints.get(relation.oid) ?? [],
    indexes: indexes.get(relation.oid) ?? [],
    statistics: statistics.get(relation.oid) ?? [],
  }));
}

/** Rows of a statement whose one column is a JSON object. */
export async function itemsOf<Item>(session: Session, text: string, values: readonly string[]): Promise<readonly Item[]> {
  const { rows } = await session.query(text, values);
  return rows.map(({ item }) => JSON.parse(item ?? 'null') as Item);
}

function byRelation<Item extends { readonly relation: string }>(items: readonly Item[]): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(item.relation, [...(groups.get(item.relation) ?? []), item]);
  return groups;
}
