import type { Session } from '../postgres/session.ts';
import { COLLATIONS, NEEDS, REQUIRED, TYPES } from './needs.sql.ts';
import type { CollationDefinition, TypeDefinition } from './render-type.sql.ts';
import { itemsOf } from './table-definition.ts';
import { withPartitions, type WantedTable } from './wanted-table.ts';

/** An object of a user's or an extension's that the tables cannot do without. */
export type Need = {
  /** As `pg_identify_object` calls it. */
  readonly kind: string;
  readonly identity: string;
  readonly oid: string;
  /** The type that needs it; `0`: a table does. */
  readonly holder: string;
  readonly extension: string | null;
  readonly typeKind: string | null;
  readonly relationKind: string | null;
  readonly isArray: boolean;
};

export type Needs = {
  /** Extensions, with the schema that they are in, each after those that it requires. */
  readonly extensions: readonly { readonly name: string; readonly schema: string }[];
  readonly collations: readonly CollationDefinition[];
  /** Each after those that it is made of. */
  readonly types: readonly TypeDefinition[];
  /** Types that no statement of ours makes: base types, rows of tables. */
  readonly foreignTypes: readonly Need[];
  /** Functions, operators and their like. */
  readonly code: readonly Need[];
};

/** Asks the source what these tables of its need; four statements. */
export async function readNeeds(session: Session, tables: readonly WantedTable[]): Promise<Needs> {
  const all = tables.flatMap(withPartitions).map(({ definition }) => definition);
  const kept = all.flatMap(({ oid, columns }) => columns.map(({ name }) => ({ relation: oid, name })));
  const found = await itemsOf<Need>(session, NEEDS, [list(all.map(({ oid }) => oid)), JSON.stringify(kept)]);
  const own = found.filter(({ extension }) => extension === null);
  const types = unique(own.filter(({ kind, isArray, typeKind }) => kind === 'type' && !isArray && typeKind !== 'm'));
  const isMade = ({ typeKind, relationKind }: Need): boolean => ['e', 'd', 'r'].includes(typeKind ?? '') || (typeKind === 'c' && relationKind === 'c');
  const oids = types.filter(isMade).map(({ oid }) => oid);
  const definitions = await itemsOf<TypeDefinition>(session, TYPES, [list(oids)]);
  const collations = own.filter(({ kind }) => kind === 'collation').map(({ oid }) => oid);
  return {
    extensions: await itemsOf(session, REQUIRED, [JSON.stringify([...new Set(found.flatMap(({ extension }) => extension ?? []))])]),
    collations: await itemsOf<CollationDefinition>(session, COLLATIONS, [list(collations)]),
    types: inOrder(definitions, found),
    foreignTypes: types.filter((type) => !isMade(type)),
    code: unique(own.filter(({ kind }) => kind !== 'type' && kind !== 'collation')),
  };
}

function list(oids: readonly string[]): string {
  return `{${oids.join(',')}}`;
}

function unique(needs: readonly Need[]): readonly Need[] {
  return [...new Map(needs.map((need) => [`${need.kind} ${need.identity}`, need])).values()].sort((a, b) => (a.identity < b.identity ? -1 : 1));
}

function inOrder(types: readonly TypeDefinition[], needs: readonly Need[]): readonly TypeDefinition[] {
  const ordered = new Map<string, TypeDefinition>();
  const add = (type: TypeDefinition): void => {
    if (ordered.has(type.oid)) return;
    for (const need of needs.filter(({ holder, oid }) => holder === type.oid && oid !== type.oid)) {
      const inner = types.find(({ oid }) => oid === need.oid);
      if (inner) add(inner);
    }
    ordered.set(type.oid, type);
  };
  for (const type of types) add(type);
  return [...ordered.values()];
}
