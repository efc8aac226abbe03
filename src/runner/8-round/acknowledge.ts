import { failure } from '../../plan/errors.ts';
import type { Clock } from '../clock.ts';
import type { StreamName } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import type { Session } from '../postgres/session.ts';
import type { Registration } from './registration.ts';
import type { Source } from './source.ts';
import { writeAcknowledged } from './source.sql.ts';
import { writeAlone } from './write-alone.ts';
import { flushHere, isFlushedHere, noteAcknowledged, walPositions } from './target.sql.ts';

/** How often a stream begins to ask whether what it committed is on the target's disk, and how often it asks until it is. */
const EVERY_MS = 1_000;
const ASK_AGAIN_MS = 150;

/** Tells the source what a target has on disk, so that it can purge. Never more than that: a commit here does not wait for the disk. */
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
  readonly clock: Clock;
  readonly failpoint: Failpoint;
};

export function makeAcknowledger(parts: Parts): Acknowledger {
  const { stream, source, target, registration, clock, failpoint } = parts;
  const names = [stream.sync, stream.source] as const;
  const state: {
    recorded: string | null;
    acknowledged: string | null;
    candidate: { position: string; lsn: string } | null;
    last: string | null;
    nextAt: number;
  } = {
    recorded: registration.acknowledged,
    acknowledged: null,
    candidate: null,
    last: null,
    nextAt: clock.now(),
  };
  const acknowledge = async (position: string): Promise<void> => {
    state.candidate = null;
    await failpoint('acknowledge.before-write');
    const { count } = await source.query(writeAcknowledged, [stream.sync, stream.target, position, registration.id, state.recorded]);
    if (count !== 1) throw notAlone(stream);
    state.recorded = position;
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
      if (state.candidate && (await isOnDisk(target, state.candidate.lsn))) {
        await acknowledge(state.candidate.position);
      }
      if (state.acknowledged === committed) return;
      state.nextAt = clock.now() + ASK_AGAIN_MS;
      state.candidate ??= { position: committed, lsn: (await target.query(walPositions)).rows[0]?.['written'] ?? '' };
    },
    settle: async (committed) => {
      state.last = committed;
      if (state.acknowledged === committed) return;
      await writeAlone(target, { text: flushHere });
      await acknowledge(committed);
    },
  };
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
