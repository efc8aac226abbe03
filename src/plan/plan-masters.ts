import type { MasterVerifyStatements } from './plan-verify.ts';
import type { ClashStatements } from './unique-rule.ts';

/**
 * Run on any member of a multi-master sync, in its transaction of a round, with `session_replication_role = replica`. The position that
 * all others have seen is in the settings `sarrio.xmax`, `sarrio.xip`, `sarrio.extra`; what each of them has seen in `sarrio.targets`, a
 * JSON array of objects `{"bit": 2, "xmax": "…", "xip": "{…}", "extra": "{…}"}`; the member's own index in `sarrio.member`.
 */
export type MasterStatements = {
  /** Keeps applications from writing to the table. */
  readonly lock: string;
  readonly meet: MeetStatements;
  /** $1: JSON array of arrays, the keys as text. For each key in order: whether the row is present (t/f), the columns as text, and what rows are compared by where that is not these. */
  readonly rowsOfKeys: string;
  /**
   * Pending keys with their current rows: whether present, the columns in order, the time of the change in microseconds, the changes that
   * the row embodies (null: not said), a bit for each member that it is pending for, and, where a rule merges and there are more than two
   * members, what each change of the row did. As `ReadStatements.rows`.
   */
  readonly rows: string;
  /** The same without the bits, for the one member that `sarrio.targets` names; between two without the changes. As `ReadStatements.copyChanged`. */
  readonly copyChanged: string;
  /** The same without the keys that are settled in this member's own stage. */
  readonly copyUnsettled: string;
  readonly decide: DecideStatements | null;
  readonly write: MasterWriteStatements;
  /** Where there is a rule for them and an index beside the key. */
  readonly clashes: ClashStatements | null;
  /** Only in a sync with a handler of exceptions. */
  readonly exceptions?: ExceptionStatements;
  /** Only where the rule is a handler that asks for the last common row. */
  readonly common?: CommonStatements;
  readonly verify: MasterVerifyStatements;
  /** By member: the wake sequences of the other syncs that read the table there, with the syncs' names. */
  readonly readers: Readonly<Record<string, readonly { readonly sync: string; readonly sequence: string }[]>>;
};

/** How the last common row is found: capture has kept what stood there before each change. */
export type CommonStatements = {
  /** The name of the columns in the order of the plan, with which such a row begins. */
  readonly layout: string;
  /**
   * $1: keys as for `MasterStatements.rowsOfKeys`. For each in order a JSON array by member: what stood here before the first change that this
   * one has not seen (sixteen digits of time, then `-` for nothing, `?` for what nobody knows, or a record of the layout and the columns); null
   * where it has seen all.
   */
  readonly befores: string;
};

/** What a handler of exceptions is told, and the rows that it changes. Keys are as for `MasterStatements.rowsOfKeys`. */
export type ExceptionStatements = {
  /**
   * The rows of keys ($2; of the stage $1) as they will stand here once what was set aside is written ($1 as for the write statements, or the
   * stage): whether present, the columns as text.
   */
  readonly outcome: ClashStatements;
  /** $1: keys. Of the changes of each that somebody has not seen: the time of the last one (microseconds), and whether an insert is among them. */
  readonly changes: string;
  /** Every row of the stage: whether present, the columns as text. */
  readonly stage: string;
  /** Only of a table with a handler of its own. */
  readonly inTheWay: readonly InTheWay[];
};

/**
 * Pairs of rows that a unique index or an exclusion of these members keeps from standing together, the first of which arrives: its key, its
 * columns (JSON arrays of texts) and its time (microseconds); key and columns of the other.
 */
export type InTheWay = ClashStatements & { readonly index: string; readonly members: readonly string[] };

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
  /** Two keys are the same exactly where their texts are, on every server: the keys of few rows need not meet where their texts differ. */
  readonly byText?: true;
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
  /** Number of decided keys, number of conflicts among them; of a rule that merges also of keys that have to be met one by one. */
  readonly count: string;
  /** What was decided goes to the second member. */
  readonly copyDecided: string;
  readonly loadDecided: string;
  /** Records the conflicts with both rows; to be run before anything is written or leaves the stage. */
  readonly record: string;
  /** Records the decisions as changes of this member. Null for a rule that merges: then the stage has them as fresh rows. */
  readonly entries: string | null;
  /** For a rule that merges: puts what was decided into the stage, in the place of what has arrived. */
  readonly merge: string | null;
  /** Where this member's own row stays, nothing has to be written. */
  readonly dropKept: string;
  /** Forgets what was brought and decided: each key has to be met. */
  readonly clear: string;
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
