import type { Session } from '../postgres/session.ts';
import { EXTENSIONS, PRESENT, RIGHTS } from './needs.sql.ts';
import { itemsOf } from './table-definition.ts';

/** Something that a database may have. `identity` as `pg_identify_object` writes it; of what has two names, those. */
export type Sought = { readonly kind: string; readonly schema?: string; readonly name?: string; readonly identity: string };

export type ExtensionState = {
  readonly name: string;
  /** Where it is installed. */
  readonly schema: string | null;
  readonly isAvailable: boolean;
  readonly canInstall: boolean;
  readonly takesSchema: boolean;
};

export type SchemaRight = { readonly name: string; readonly isThere: boolean; readonly mayCreate: boolean; readonly role: string; readonly database: string };

/** Those of the objects that the database has; types and collations with their oids there. */
export async function presentIn(session: Session, sought: readonly Sought[]): Promise<ReadonlyMap<string, string | null>> {
  const found = await itemsOf<{ kind: string; identity: string; isThere: boolean; oid: string | null }>(session, PRESENT, [JSON.stringify(sought)]);
  return new Map(found.filter(({ isThere }) => isThere).map(({ kind, identity, oid }) => [presenceKey({ kind, identity }), oid]));
}

export function presenceKey({ kind, identity }: Pick<Sought, 'kind' | 'identity'>): string {
  return `${kind} ${identity}`;
}

export function extensionStates(session: Session, names: readonly string[]): Promise<readonly ExtensionState[]> {
  return itemsOf(session, EXTENSIONS, [JSON.stringify(names)]);
}

export function schemaRights(session: Session, names: readonly string[]): Promise<readonly SchemaRight[]> {
  return itemsOf(session, RIGHTS, [JSON.stringify(names)]);
}
