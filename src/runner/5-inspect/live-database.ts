import type { ObjectKind } from '../../plan/plan.ts';
import type { Terms } from '../../plan/terms.ts';
import type { QualifiedName } from '../../sql/quote.ts';
import type { LiveSequence } from './read-sequences.ts';
import type { RecordedSeal } from './seal.ts';

/** An object that stands in schema `sarrio`, or a trigger of ours. */
export type LiveObject = {
  /** `other`: something in our schema that is no kind of object we ever make. */
  readonly kind: ObjectKind | 'other';
  /** Spelled as `PlanObject.name`. */
  readonly name: string;
  /** The relation's or function's own name, without schema and arguments. */
  readonly bare: string;
  /** For a trigger: the table it stands on and the function (bare name) that it calls. */
  readonly trigger: { readonly table: QualifiedName; readonly calls: string } | null;
  /** For a table: its columns in order. */
  readonly columns: readonly LiveColumn[];
  /** This role owns it, or for a trigger its table (which dropping a trigger needs). */
  readonly owned: boolean;
  /** Everybody but the owner who holds a right on it, as SQL (`public` for all). */
  readonly grantees: readonly string[];
  /** Over the catalog's text of the object and, after a dot, over the rights of others. */
  readonly fingerprint: string;
};

export type LiveColumn = { readonly name: string; readonly type: string };

/** A row of `sarrio.installed`: what apply put in place, and how the catalog looked right after. */
export type InstalledObject = {
  readonly kind: string;
  readonly name: string;
  readonly project: string;
  readonly hash: string;
  readonly fingerprint: string;
  /** Format of the plan that it was installed from. */
  readonly planFormat: string;
};

/** What of ours stands in one database. */
export type LiveDatabase = {
  readonly database: string;
  readonly serverMajor: number;
  readonly objects: readonly LiveObject[];
  readonly installed: readonly InstalledObject[];
  /** What was agreed about tables of syncs, by `sync/table`. */
  readonly terms: ReadonlyMap<string, Terms>;
  /** Streams out of this database that are registered. */
  readonly registered: readonly { readonly sync: string; readonly target: string }[];
  /** Streams into this database that have a position. */
  readonly watermarks: readonly { readonly sync: string; readonly source: string }[];
  /** Tables of streams into this database whose initial copy has begun or is done. */
  readonly copies: readonly { readonly sync: string; readonly source: string; readonly relation: string }[];
  /** Changes kept in delta tables that a plan may drop, by the delta table's bare name. */
  readonly changes: ReadonlyMap<string, number>;
  /** Users' tables of the plan, partitions too, by display name, as the statistics have them; rows are null where nobody has analyzed. */
  readonly sizes: ReadonlyMap<string, TableSize>;
  /** Users' sequences that the plan lets count in steps. */
  readonly sequences: readonly LiveSequence[];
  /** Seals of the plan's captures by delta table: as the catalog has them now, and as apply left them. */
  readonly seals: { readonly found: ReadonlyMap<string, string>; readonly recorded: ReadonlyMap<string, RecordedSeal> };
};

export type TableSize = { readonly rows: number | null; readonly bytes: number };

/** The relation's or function's own name, out of the plan's spelling: `Order` of `sarrio."Order"`, `wake` of `sarrio.wake(text)`. */
export function bareNameOf(name: string): string {
  const local = name.replace(/^sarrio\./, '');
  const quoted = /^"((?:[^"]|"")*)"/.exec(local);
  return quoted?.[1] === undefined ? local.replace(/\(.*$/, '') : quoted[1].replaceAll('""', '"');
}

/** Identity of an object within a database. */
export function objectKey(object: { kind: string; name: string }): string {
  return `${object.kind} ${object.name}`;
}
