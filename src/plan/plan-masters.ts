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
 * Between two members, for a rule that takes one version as it is, or a handler: many contested keys are decided where their rows stand. The rows of each
 * have been delivered to the stage of the other. Null where it takes a runner that looks at them.
 */
export type DecideStatements = {
  /** At the first member: decides what it has pending itself against what the second one has delivered. */
  readonly decide: string;
  /** For a handler: the conflicts in the order of their keys; id, key as JSON array, time and operation of the first member, of the second, and their rows. */
  readonly conflicts: string | null;
  /** For a handler: what it said, by id, in `pg_temp.sarrio_ruled`. Rows that it made come as settled ones. */
  readonly rule: string | null;
  /** Number of decided keys, number of conflicts among them. */
  readonly count: string;
  /** What was decided goes to the second member. */
  readonly copyDecided: string;
  readonly loadDecided: string;
  /** Records the conflicts with both rows; to be run before anything is written or leaves the stage. */
  readonly record: string;
  /** Records the decisions as changes of this member. */
  readonly entries: string;
  /** Where this member's own row stays, nothing has to be written. */
  readonly dropKept: string;
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
  /** How many rows of the stage are present, and how many are absent. */
  readonly countStage: string;
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
