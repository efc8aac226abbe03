/** Where changes of one key by several members meet: a temporary table of one of them. */
export type MeetStatements = {
  /** Pending keys of this member: `sarrio.member`, the key, who has not seen it (bits), when (microseconds), `I` or `U`, the changes that the row embodies. */
  readonly report: string;
  readonly copyReport: string;
  readonly create: string;
  readonly load: string;
  /** $1: JSON array of arrays, rows of `report`. */
  readonly insert: string;
  /** The member's own report, without a way round. */
  readonly insertOwn: string;
  readonly analyze: string;
  /** Rows of the keys that several members reported, those of one key together: a number for the key, member, who has not seen it, when, `I` or `U`, the key as JSON array, the changes. */
  readonly contested: string;
  /** The same in one statement, of this member's own report and $1, which is as for `insert`; for few. */
  readonly contestedRows: string;
};

/**
 * Rows to write arrive as $1 (JSON array of objects with the columns as text and `sarrio_present`, `sarrio_at` (microseconds),
 * `sarrio_fresh`, `sarrio_settled`, `sarrio_skip`, `sarrio_names`), or in the stage. Delivered rows give way to settled ones of the same key; rows that
 * are the same already are not touched.
 */
export type MasterWriteStatements = {
  /** Records what is about to be written in the table's delta table; to be run before the rows are written. */
  readonly entriesOfRows: string;
  /** Deletes, updates and inserts in one statement; null where columns cannot be updated. */
  readonly mergeRows: string | null;
  /** The unique-swap form of the same. */
  readonly deleteRows: string;
  readonly insertRows: string;
  readonly createStage: string;
  /** `COPY stage FROM STDIN`, takes the bytes of `copyChanged`; these rows are delivered ones. */
  readonly loadStage: string;
  /** `COPY stage FROM STDIN` as text: whether present, the columns, `sarrio_at`, `sarrio_fresh`, `sarrio_settled`, `sarrio_skip`, `sarrio_names`, and, for a rule that merges, `sarrio_carried`. */
  readonly loadRows: string;
  /** Lets settled rows be looked up by their key. */
  readonly indexSettled: string;
  readonly analyzeStage: string;
  /** Delivered rows give way to settled ones. */
  readonly dropSettled: string;
  /** $1 as above: settled rows of these keys leave the stage. */
  readonly unsettle: string;
  /** $1 as above: this member's changes of the keys that are skipped are pending no more. */
  readonly takeOver: string;
  readonly entriesOfStage: string;
  readonly deleteAbsent: string;
  readonly updatePresent: string | null;
  readonly deleteChanged: string;
  readonly insertMissing: string;
};

/** Syncs that carry the same tables round in a ring: what one of them has noted of what a database has seen counts for all. */
export type PlanRing = {
  /** All of them by name, this one among them. */
  readonly syncs: readonly string[];
  /** Their databases that are no members of this one: none of its rounds has them, but changes come from there. */
  readonly others: readonly string[];
};

/** Every database from which changes come into a multi-master sync, its members first. Positions are counted in this order. */
export function originsOf({ members, ring }: { readonly members: readonly string[]; readonly ring?: PlanRing }): readonly string[] {
  return [...members, ...(ring?.others ?? [])];
}
