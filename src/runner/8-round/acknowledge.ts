import { contentHash } from '../../plan/canonical.ts';
import { failure } from '../../plan/errors.ts';
import { covers, parsePosition, sameHistory } from '../../plan/position.ts';
import type { Clock } from '../clock.ts';
import type { StreamName } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import type { Session } from '../postgres/session.ts';
import { textArray } from '../postgres/text-array.ts';
import type { Registration } from './registration.ts';
import type { Source } from './source.ts';
import { writeAcknowledged } from './source.sql.ts';
import { writeAlone } from './write-alone.ts';
import { flushHere, isFlushedHere, noteAcknowledged, walPositions } from './target.sql.ts';

/** How often a stream begins to ask whether what it committed is on the target's disk, and how often it asks until it is. */
const EVERY_MS = 1_000;
const ASK_AGAIN_MS = 150;
/** While a table stands before what was acknowledged. */
const WHILE_BEHIND_MS = 5_000;

/**
 * Tells the source what a target has on disk, so that it can purge. Never more than that: a commit here does not wait for the disk; and only for the
 * captures that this runner's plan has, which it says in the same statement. What was acknowledged never goes back: a table that has come to a stream
 * may stand before it, and until it does not, the source goes by what was said by those who did not know the table.
 */
export type Acknowledger = {
  /** Milliseconds until there is something to do; infinite when everything is acknowledged. */
  dueIn(): number;
  /** To be called between rounds, with the watermark as committed. */
  tick(committed: string): Promise<void>;
  /** Sees to it that the watermark is on the target's disk, and acknowledges it: for a runner that ends. */
  settle(committed: string): Promise<void>;
};

type Parts = {
  readonly stream: StreamName;
  readonly source: Source;
  readonly target: Session;
  readonly registration: Registration;
  /** Delta tables of the stream in its source. */
  readonly deltas: readonly string[];
  readonly clock: Clock;
  readonly failpoint: Failpoint;
};

export function makeAcknowledger(parts: Parts): Acknowledger {
  const { stream, source, target, registration, clock, failpoint } = parts;
  const names = [stream.sync, stream.source] as const;
  const deltas = [...parts.deltas].sort();
  const known = contentHash(deltas);
  const state: {
    hasNamed: boolean;
    recorded: string | null;
    acknowledged: string | null;
    candidate: { position: string; lsn: string } | null;
    last: string | null;
    nextAt: number;
  } = {
    hasNamed: false,
    recorded: registration.acknowledged,
    acknowledged: null,
    candidate: null,
    last: null,
    nextAt: clock.now(),
  };
  const acknowledge = async (position: string): Promise<void> => {
    state.candidate = null;
    await failpoint('acknowledge.before-write');
    const captures = [state.hasNamed ? null : textArray(deltas), `${known} ${position}`, `${known} ${state.recorded ?? ''}`];
    const { count } = await source.query(writeAcknowledged, [stream.sync, stream.target, position, registration.id, state.recorded, ...captures]);
    if (count !== 1) throw notAlone(stream);
    Object.assign(state, { recorded: position, hasNamed: true });
    await failpoint('acknowledge.after-write');
    await writeAlone(target, { text: noteAcknowledged, values: [...names, position, registration.id] });
    await failpoint('acknowledge.after-note');
    state.acknowledged = position;
  };
  return {
    dueIn: () => (state.last === state.acknowledged ? Number.POSITIVE_INFINITY : Math.max(0, state.nextAt - clock.now())),
    tick: async (committed) => {
      state.last = committed;
      if (state.acknowledged === committed || clock.now() < state.nextAt) return;
      state.nextAt = clock.now() + EVERY_MS;
      if (goesBack(state.recorded, committed)) {
        state.nextAt = clock.now() + WHILE_BEHIND_MS;
        return;
      }
      if (state.candidate && (await isOnDisk(target, state.candidate.lsn))) {
        await acknowledge(state.candidate.position);
      }
      if (state.acknowledged === committed) return;
      state.nextAt = clock.now() + ASK_AGAIN_MS;
      state.candidate ??= { position: committed, lsn: (await target.query(walPositions)).rows[0]?.['written'] ?? '' };
    },
    settle: async (committed) => {
      state.last = committed;
      if (state.acknowledged === committed || goesBack(state.recorded, committed)) return;
      await writeAlone(target, { text: flushHere });
      await acknowledge(committed);
    },
  };
}

function goesBack(recorded: string | null, position: string): boolean {
  if (recorded === null) return false;
  const [before, now] = [parsePosition(recorded), parsePosition(position)];
  return sameHistory(before.history, now.history) && !covers(now, before);
}

/** Another runner acknowledges this stream, perhaps for a copy of the target: the stream starts again and looks where it stands. */
function notAlone({ sync, source, target }: StreamName): Error {
  return failure('failed', {
    code: 'SAR614',
    where: `database ${source}`,
    message: `what ${target} has acknowledged of sync ${sync} is not what this runner wrote: another runner acknowledges this stream`,
  });
}

async function isOnDisk(target: Session, lsn: string): Promise<boolean> {
  return (await target.query(isFlushedHere, [lsn])).rows[0]?.['is_flushed'] === 't';
}
