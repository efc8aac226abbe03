import type { QualifiedName } from '../sql/quote.ts';

/** Major.minor of `generated/schema.lock.json`. */
export const LOCK_FORMAT = '1.1';

/** `generated/schema.lock.json`: what `sarrio pull` read from the catalogs, committed, so that compiling needs no database. */
export type SchemaLock = {
  /** Of an earlier minor version it may lack what is optional below. */
  readonly format: string;
  /** By the database's name in the config. */
  readonly databases: Readonly<Record<string, DatabaseSchema>>;
};

export type DatabaseSchema = {
  /** Major version of the server, 14 or later. */
  readonly serverMajor: number;
  /** `server_encoding`, e.g. `UTF8`. */
  readonly encoding: string;
  /** Every relation with rows of the schemas that the config speaks of, ordered by schema and name (code units). */
  readonly tables: readonly TableSchema[];
  /** Enum types in use by these tables, also inside other types, with labels in order. */
  readonly enums: readonly EnumSchema[];
  /** All other types outside `pg_catalog` that these tables use, also inside other types, ordered by schema and name. */
  readonly types: readonly TypeSchema[];
};

export type EnumSchema = QualifiedName & { readonly labels: readonly string[] };

/** What decides whether a value of a type of one database is one of another's; types inside are written as `ColumnSchema.type`. */
export type TypeSchema = QualifiedName &
  (
    | {
        readonly kind: 'domain';
        readonly base: string;
        readonly notNull: boolean;
        /** Constraints as `pg_get_constraintdef` writes them, ordered. */
        readonly checks: readonly string[];
      }
    | { readonly kind: 'composite'; readonly attributes: readonly { readonly name: string; readonly type: string }[] }
    | { readonly kind: 'range'; readonly subtype: string }
    | { readonly kind: 'multirange'; readonly range: string }
    | { readonly kind: 'base'; readonly extension: string | null }
  );

export type TableKind = 'table' | 'partitioned' | 'foreign' | 'view' | 'materialized-view';

export type TableSchema = QualifiedName & {
  readonly kind: TableKind;
  readonly persistence: 'permanent' | 'unlogged' | 'temporary';
  /** In attribute order, dropped columns left out. */
  readonly columns: readonly ColumnSchema[];
  /** Primary key and plain unique indexes (no expression, no predicate), primary key first, then by name. */
  readonly keys: readonly KeySchema[];
  /** The partitioned table that this is a direct partition of. */
  readonly partitionOf: QualifiedName | null;
  /** Tables that this one inherits from (not partitioning). */
  readonly inherits: readonly QualifiedName[];
  readonly rowSecurity: boolean;
  /** A user's BEFORE UPDATE row trigger exists, which may change key columns that the statement does not name. */
  readonly beforeUpdateTrigger: boolean;
  /** Tables that foreign keys of this table point to. */
  readonly references: readonly QualifiedName[];
  /** Unique indexes that are no keys: partial ones, of expressions, or with an equality of their own. Absent where there are none (since 1.1, as are the next two). */
  readonly otherUnique?: readonly IndexSchema[];
  /** Exclusion constraints, and keys without overlaps. */
  readonly exclusions?: readonly IndexSchema[];
  /** Users' triggers that fire in sessions with `session_replication_role = replica`, so also when rounds write. */
  readonly replicaTriggers?: readonly string[];
};

/** An index or constraint as the server writes it, without the names of the index and the table. */
export type NamedDefinition = { readonly name: string; readonly definition: string };

/** An index by which rows of different keys exclude each other. Two rows do when all its parts meet. */
export type IndexSchema = NamedDefinition & {
  /** Expressions over the table's columns, with the operator by which they meet. A lock of before handlers could change rows has none. */
  readonly parts?: readonly IndexPart[];
  /** Of a partial index: which rows are in it. */
  readonly where?: string;
  /** Two nulls meet, too. */
  readonly nullsEqual?: true;
};

export type IndexPart = { readonly expression: string; readonly operator: { readonly schema: string; readonly name: string } };

export type ColumnSchema = {
  readonly name: string;
  /** `format_type` under an empty search path: `integer`, `character varying(20)`, `public.mood`, `public.citext[]`. */
  readonly type: string;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  readonly identity: 'none' | 'always' | 'by-default';
  readonly generated: 'none' | 'stored' | 'virtual';
  /** Collation when it is not the type's default: qualified name as SQL. */
  readonly collation: string | null;
  /**
   * How values travel: `binary` = built-in type whose binary form means the same on every server; `text` = its meaning is local
   * (enum, domain, composite, extension types, reg* types, xml …) or not fit for binary COPY.
   */
  readonly transfer: 'binary' | 'text';
  /** Storage length is variable (`typlen < 0`), so that a value may be large. */
  readonly variableLength: boolean;
  /** Default of a column that stands in a unique index, as the server writes it. Absent where there is none (since 1.1). */
  readonly keyDefault?: string;
  /** Sequences that its default draws from, and those that it owns, an identity's among them. Absent where there are none (since 1.1). */
  readonly sequences?: readonly SequenceSchema[];
};

export type SequenceSchema = QualifiedName & {
  /** `smallint`, `integer` or `bigint`. */
  readonly type: string;
};

export type KeySchema = {
  /** Name of the index. */
  readonly name: string;
  readonly columns: readonly KeyColumn[];
  readonly primary: boolean;
  readonly deferrable: boolean;
  /** Every column is NOT NULL. */
  readonly notNull: boolean;
};

export type KeyColumn = {
  readonly name: string;
  /** The index's own equality operator, e.g. `{ schema: 'pg_catalog', name: '=' }`, or the extension's for citext and the like. */
  readonly equality: QualifiedName;
  /**
   * The type that the operator takes, where it is not the column's (a domain over a type of an extension). Keys are compared as this
   * type: an operator of the same name for the domain itself, which anybody may make, would be found first.
   */
  readonly input?: string;
  /** Nondeterministic collation by which the index compares, qualified as SQL: two spellings are one key. Null: only the same text is equal. */
  readonly folding: string | null;
};
