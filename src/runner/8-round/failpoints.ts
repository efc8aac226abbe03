/**
 * The places where a crash test may stop the runner, each with what has just happened or is about to. The crash tests stop at every
 * one of them, so a name that no code passes makes them fail.
 */
export const FAILPOINTS = [
  // A stream begins.
  'stream.before-start', // the lease is held, nothing was read yet
  'stream.before-forget', // the watermark belongs to an earlier life of the stream
  'stream.after-forget-copies', // its copies are forgotten, the watermark is still there
  'stream.after-forget-watermark',

  // Initial copy of one table, except for the first two.
  'copy.before-watermark', // the first position of a new stream is about to be written
  'copy.after-watermark',
  'copy.before-claim', // the transaction is open
  'copy.after-claim',
  'copy.after-clear', // rows that stood in the target are deleted
  'copy.before-load', // both ends are ready for COPY
  'copy.after-load',
  'copy.after-finish', // the number of rows is recorded
  'copy.before-commit',
  'copy.commit-sent', // and not yet answered
  'copy.after-commit',

  // A round reads the source.
  'round.source.before-snapshot',
  'round.source.after-snapshot', // pending changes are counted
  'round.source.before-rows', // the rows of a small table are about to be read
  'round.source.after-rows',
  'round.source.before-bulk', // another connection is about to join the snapshot
  'round.source.after-bulk',
  'round.source.before-flush', // what the snapshot saw is not known to be on disk
  'round.source.after-flush',

  // A round writes the target.
  'round.target.before-begin',
  'round.target.after-fence', // staged round: the watermark row is locked
  'round.target.after-rows', // small round: rows and watermark are written
  'round.target.before-small', // staged round: a table with few changes
  'round.target.after-small',
  'round.target.small-clash', // and it clashed: before going back to the savepoint
  'round.target.before-clear', // a truncated table is about to be emptied
  'round.target.after-clear',
  'round.target.after-refresh', // and holds the source's rows
  'round.target.before-load', // COPY straight into the table
  'round.target.after-load',
  'round.target.load-clash', // the target had one of the rows: before going back to the savepoint
  'round.target.before-copy', // both ends are ready for COPY
  'round.target.after-copy',
  'round.target.before-stage', // the stage table is there, empty
  'round.target.before-merge', // and full
  'round.target.after-update',
  'round.target.after-delete',
  'round.target.after-insert',
  'round.target.merge-clash', // unique values clash: before going back to the savepoint
  'round.target.before-replace', // all staged keys are about to be deleted
  'round.target.between-replace', // and are, and not yet inserted
  'round.target.after-replace',
  'round.target.before-relay', // written rows are about to be recorded as changes of the target
  'round.target.after-relay',
  'round.target.before-join', // copied tables are about to follow the watermark
  'round.target.after-join',
  'round.target.before-watermark',
  'round.target.after-watermark',
  'round.target.before-commit', // everything is written, and the source has on disk what was read
  'round.target.commit-sent', // and not yet answered
  'round.target.after-commit',

  // After rounds.
  'acknowledge.before-ask', // how far the target's log is written
  'acknowledge.before-write', // the target has the position on disk, the source does not know
  'acknowledge.after-write',
  'wake.before-busy', // under load: triggers are about to be told not to notify
  'wake.after-busy',
  'wake.before-arm', // idle: triggers are about to be told to notify
  'wake.after-arm',
  'wake.after-arming-snapshot', // transactions that may have read `busy` are being waited for

  // Purge of one segment.
  'purge.before-lock',
  'purge.after-lock',
  'purge.before-truncate', // no change in it is needed any more
  'purge.after-truncate',
  'purge.before-commit',
  'purge.after-commit',
  'purge.before-switch', // triggers are about to be sent to the next segment
  'purge.after-switch',
] as const;

export type FailpointName = (typeof FAILPOINTS)[number];

/** A failpoint of this room. */
export type RoundFailpoint = (name: FailpointName) => Promise<void>;
