/** Why one table of a sync does not go on, while the others do. */
export type Stop = {
  /** Its ordinal in the sync. */
  readonly table: number;
  /** The diagnostic's code. */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  /** The row's key by column, as text; null where the error does not say which row it was. */
  readonly key: Readonly<Record<string, string | null>> | null;
};

/** A round cannot do one table: it is given up, and the next ones leave that table out. */
export class TableStopped extends Error {
  override readonly name = 'TableStopped';
  readonly stop: Stop;

  constructor(stop: Stop, options?: ErrorOptions) {
    super(stop.message, options);
    this.stop = stop;
  }
}
