/**
 * `sarrio verify`. A row's bucket is a hash of its key; the setting `sarrio.buckets` says which are read, as a bytea with one bit for
 * each; an empty one says all. The temporary tables of the target are the session's own.
 */
export type VerifyStatements = {
  /** ACCESS SHARE on the table, taken before the snapshot: a TRUNCATE that came after the snapshot would show in it all the same. */
  readonly lockSource: string;
  readonly lockTarget: string;
  /** On the source and on the target: for each bucket that holds rows, `bucket`, `rows`, and `hash`, the sum of the hashes of its rows. */
  readonly sumSource: string;
  readonly sumTarget: string;
  /** On the source, with the position in the settings: one row, whether a TRUNCATE is pending. */
  readonly isTruncated: string;
  /** On the source: `COPY … TO STDOUT` of the pending keys (position in the settings), and of the keys and column hashes of the rows of the buckets. */
  readonly copyPending: string;
  readonly copyHashes: string;
  /** On the target: makes the stage for both (emptied at commit) and the table of differences, and takes the bytes. */
  readonly createStage: string;
  readonly loadStage: string;
  /** On the target: fills the table of differences from the stage and the target's rows of the buckets. */
  readonly findDifferences: string;
  /** On the target: `kind` and `rows`; `column` (1-based, index into `columns`) and `rows`; $1 at most so many: `kind`, `columns`, then the key as text. */
  readonly countDifferences: string;
  readonly countColumns: string;
  readonly listDifferences: string;
  readonly dropStage: string;
  /** Repair, on the target: sets aside the differences whose keys are pending by now. */
  readonly setPendingAside: string;
  /** Repair, on the target: $1 after which number, $2 at most so many: `last`, and `keys` as JSON. */
  readonly nextKeys: string;
  /** Repair, on the source: `COPY … TO STDOUT` of the rows of the keys in the setting `sarrio.keys`, in the form of `copyChanged`. */
  readonly copyKeys: string;
  /** Only with `existingRows: 'adopt'`. */
  readonly adopt?: AdoptStatements;
};

/** Run on the target, once the table of differences is filled. */
export type AdoptStatements = {
  /** Takes the rows that the target alone has to the stage of rounds, as absent ones; not where such rows stay. */
  readonly stageSurplus?: string;
  /** For many differences, before their keys are read in pages. */
  readonly indexDifferences: string;
};

/**
 * `sarrio verify` between masters: keys and column hashes of every member come together in temporary tables of one of them. The rest is in
 * `VerifyStatements` of the table's route: `lockSource`, `sumSource`, `copyPending` and `copyHashes` run on every member, `loadStage` and
 * `dropStage` where they meet. A row that comes in belongs to the member whose index is in the setting `sarrio.member`.
 */
export type MasterVerifyStatements = {
  /** Makes the stage (emptied at commit) and the table of differences. */
  readonly createStage: string;
  /** $1: number of members. Fills the table of differences: keys that not all have, or not all alike, with the members' indexes. */
  readonly findDifferences: string;
  /** One row: `keys`, `different` (rows that are not alike) and `in_flight`, the keys that are on their way. */
  readonly countDifferences: string;
  /** $1: indexes of all members: `member`, and how many `keys` it lacks. */
  readonly countAbsent: string;
  /** `column` (1-based, index into `columns`) and `rows`. */
  readonly countColumns: string;
  /** $1: index of one member, $2: of all: by other `member`, the `inserts`, `updates` and `deletes` that would make it equal. */
  readonly countWrites: string;
  /** $1 at most so many: the members that have the row, for each a number that is the same for like rows, the columns, then the key as text. */
  readonly listDifferences: string;
  /** Repair, where `sarrio.member` is the one whose rows are right: its rows of these keys are changes from now on, made at $1 (timestamptz). */
  readonly recordEntries: string;
};
