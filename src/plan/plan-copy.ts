/**
 * What an initial copy does when a target table already holds rows: fail, replace them, take them as they are (then nothing is copied),
 * or compare them and write what differs.
 */
export type ExistingRows = 'refuse' | 'replace' | 'keep' | 'adopt';

/** How initial copies are made, where the config says it. */
export type PlanCopy = { readonly jobs?: number; readonly chunkBytes?: number; readonly bytesPerSecond?: number; readonly rebuildIndexes?: true };

/**
 * Run on the source, in the copy's snapshot, with the first block and the one after the last in the settings `sarrio.first_block` and
 * `sarrio.end_block`: the rows that stand in them.
 */
export type RangeReadStatements = {
  /** `COPY … TO STDOUT`, for `loadTable`. */
  readonly rows: string;
  /** The same for `loadStage`: each row is said to be present. */
  readonly staged: string;
};
