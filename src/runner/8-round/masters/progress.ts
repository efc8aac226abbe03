import { SarrioError } from '../../../plan/errors.ts';
import type { Log, StreamName, StreamState } from '../../events.ts';
import { failureText } from '../../postgres/error-text.ts';
import type { MasterRoundResult } from './master-round.ts';
import type { StreamProgress } from '../stream-options.ts';

/** A directed pair of members, as `status` shows it. */
export type PairProgress = { readonly stream: StreamName; readonly source: number; readonly target: number; readonly progress: StreamProgress };

/** What the sync says of itself: events, and the state of each pair for `status`. */
export type MasterProgress = {
  /** A round that ended, of these members. */
  round(members: readonly number[], result: Exclude<MasterRoundResult, { kind: 'again' }>, ms: number): void;
  /** A member is doing something else now; its pairs do the same. */
  enter(member: number, state: StreamState, reason: string | null): void;
  failed(members: readonly number[], error: unknown, inMs: number): void;
};

export function makeProgress(sync: string, members: readonly string[], { pairs, log }: { pairs: readonly PairProgress[]; log: Log }): MasterProgress {
  const ofMembers = (indexes: readonly number[]) => pairs.filter(({ source, target }) => indexes.includes(source) && indexes.includes(target));
  const names = (indexes: readonly number[]) => indexes.map((index) => members[index] ?? '');
  return {
    round: (indexes, result, ms) => {
      for (const pair of ofMembers(indexes)) tell(pair, result, log);
      if (result.kind !== 'applied') return;
      const { tables, conflicts } = result;
      const rows = [...result.rows.values()].reduce((sum, each) => sum + each, 0);
      log({ kind: 'masters-round', sync, members: names(indexes), rows, tables, conflicts, ms });
    },
    enter: (member, state, reason) => {
      for (const { stream, progress } of pairs.filter(({ target }) => target === member)) {
        if (progress.state === state) continue;
        progress.state = state;
        if (state === 'paused') progress.isFailing = false;
        log({ kind: 'stream', stream, state, reason });
      }
    },
    failed: (indexes, error, inMs) => {
      const text = failureText(error);
      const code = error instanceof SarrioError ? (error.diagnostics[0]?.code ?? 'SAR600') : 'SAR600';
      const failing = indexes.length > 1 ? ofMembers(indexes) : pairs.filter(({ target }) => indexes.includes(target));
      for (const { progress } of failing) Object.assign(progress, { lastError: text, isCaughtUp: false, isFailing: true, state: 'failed' });
      log({ kind: 'members-retry', sync, members: names(indexes), code, error: text, inMs: Math.round(inMs) });
    },
  };
}

function tell({ stream, source, progress }: PairProgress, result: Exclude<MasterRoundResult, { kind: 'again' }>, log: Log): void {
  progress.isFailing = false;
  if (progress.state !== 'running') {
    progress.state = 'running';
    log({ kind: 'stream', stream, state: 'running', reason: null });
  }
  if (result.kind === 'applied') {
    progress.isCaughtUp = false;
    const rows = result.rows.get(source) ?? 0;
    progress.rows += rows;
    progress.lastRound ||= rows > 0;
  } else if (!progress.isCaughtUp) {
    progress.isCaughtUp = true;
    log({ kind: 'caught-up', stream });
  }
}
