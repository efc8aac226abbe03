import type { PlanFullCopy } from '../../../plan/plan-full-copy.ts';
import type { CopyReason } from '../../events.ts';
import { failure } from '../../../plan/errors.ts';
import { restStop } from '../changed-tables/table-stop.ts';
import { ReadTooLate } from '../changed-tables/read-too-late.ts';
import type { FollowEnd } from '../follow-stream.ts';
import { makeHeart } from '../heartbeat.ts';
import { copyGroup, type LastCopy, tablesOf } from './copy-group.ts';
import { type CopyState, type Due, dueOf } from './due.ts';
import { readLastCopy, readRequest } from './full-copy.sql.ts';
import type { Following } from '../following.ts';

/** Longest wait without looking for a request, at the target's connection and at the signal. */
const LONGEST_WAIT_MS = 5_000;
const RESTING_MS = 1_000;

/** Copies a sync's tables to one target whenever they are due, until the signal or (when asked so) until they are not. `once` copies now. */
export function followCopies(copy: PlanFullCopy, refuse: (source: Following['source']) => Promise<void>): (following: Following) => Promise<FollowEnd> {
  return async (following) => {
    const { source, target, signal, wake, clock, until, progress, log, stream } = following;
    const heart = makeHeart(target, clock);
    const done = { copies: 0 };
    source.onLost(wake.kick);
    target.onLost(wake.kick);
    following.enter('running', null);
    while (!signal.aborted) {
      if (!source.isOpen() || !target.isOpen()) throw new Error(`the connection to the ${target.isOpen() ? 'source' : 'target'} was lost`);
      const generation = wake.generation();
      const state = await look(following, copy);
      if (state.isPaused) return 'again';
      if (state.isResting) {
        if (until !== 'stopped') throw rests(following);
        following.enter('paused', restStop().message);
        await heart.beat();
        await wake.wait(generation, RESTING_MS);
        continue;
      }
      following.enter('running', null);
      const due = dueOf(copy.schedule, state);
      const reason = until === 'once' && done.copies === 0 ? 'once' : due.reason;
      if (reason !== null) {
        await copyNow(following, copy, { state, reason, refuseUnapplied: () => refuse(source) });
        done.copies += 1;
        continue;
      }
      following.onProgress();
      if (!progress.isCaughtUp) log({ kind: 'caught-up', stream });
      progress.isCaughtUp = true;
      if (until !== 'stopped') return 'done';
      await heart.beat();
      await wake.wait(generation, waitFor(due));
    }
    return 'stopped';
  };
}

/** What both sides say, with the texts that the copy writes down. */
type Looked = CopyState & { readonly now: string; readonly last: LastCopy; readonly isPaused: boolean; readonly isResting: boolean };

/** Whoever is to end by himself has not copied. */
function rests({ stream }: Following): Error {
  const { code, hint } = restStop();
  const where = `sync ${stream.sync}, ${stream.source} -> ${stream.target}`;
  return failure('refused', { code, where, message: 'one of its tables rests for a migration', hint });
}

async function look({ source, target, stream }: Following, copy: PlanFullCopy): Promise<Looked> {
  const asked = (await source.query(readRequest, [stream.sync])).rows[0];
  const row = (await target.query(readLastCopy, [stream.sync, stream.source, tablesOf(copy)])).rows[0];
  const last = { copiedAt: row?.['copied_at'] ?? null, kick: row?.['kick'] ?? null };
  return {
    now: asked?.['now'] ?? '',
    nowMs: Number(asked?.['now_ms']),
    kick: asked?.['kick'] ?? null,
    isPaused: asked?.['is_paused'] === 't',
    isResting: row?.['is_resting'] === 't',
    copiedMs: last.copiedAt === null ? null : Number(row?.['copied_ms']),
    servedKick: last.kick,
    last,
  };
}

type Copying = { readonly state: Looked; readonly reason: CopyReason; readonly refuseUnapplied: () => Promise<void> };

async function copyNow(following: Following, copy: PlanFullCopy, { state, reason, refuseUnapplied }: Copying): Promise<void> {
  const { progress, enter } = following;
  progress.isCaughtUp = false;
  enter('copying', null);
  const group = { ...following, copy, last: state.last, now: state.now, kick: state.kick, reason, refuseUnapplied };
  const rows = await copyGroup({ ...group, locks: [] }).catch((error: unknown) => {
    if (!(error instanceof ReadTooLate)) throw error;
    return copyGroup({ ...group, locks: copy.tables.map(({ source }) => source) });
  });
  enter('running', null);
  if (rows === null) return;
  progress.rows += rows;
  progress.lastRound = true;
}

function waitFor(due: Due): number {
  return due.reason === null && due.inMs !== null ? Math.min(Math.max(due.inMs, 1), LONGEST_WAIT_MS) : LONGEST_WAIT_MS;
}
