import type { QualifiedName } from '../sql/quote.ts';

/** A table that a sync wants in a database, and where it is to be found. */
export type SchemaWish = {
  readonly sync: string;
  readonly source: string;
  readonly target: string;
  readonly table: QualifiedName;
  /** Its name on the target. */
  readonly name: QualifiedName;
  /** What the table is made of there: columns of the source, then computed ones. */
  readonly columns: readonly WishedColumn[];
  /** The target gets only some of the rows, or keeps what the source deletes. */
  readonly rows: 'all' | 'some' | 'more';
};

export type WishedColumn = { readonly name: string } & (
  | { readonly kind: 'column'; readonly from: string }
  | { readonly kind: 'computed'; readonly expression: string }
);
