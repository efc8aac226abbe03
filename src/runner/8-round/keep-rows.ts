import { beforeAll, formatPosition } from '../../plan/position.ts';
import { textArray } from '../postgres/text-array.ts';
import { forgetRangesOf } from './ranges/ranges.sql.ts';
import type { StreamPlace, StreamStart } from './stream-target.ts';
import { keepTables, beginApply, commitApply, insertWatermark, setUnverified } from './target.sql.ts';
import type { StreamTable } from './work.ts';

const REASON = "its rows were kept as they were (existingRows: 'keep'), and nothing has compared them";

/**
 * Lets tables that hold the source's rows already follow without a copy: every change that is kept since their capture began is pending for
 * them. Only a comparison can say that they were the same rows, so the stream is unverified until there was one. False when nothing is to be kept.
 */
export async function keepRows({ stream, source, target }: StreamPlace, tables: readonly StreamTable[], start: StreamStart): Promise<boolean> {
  const kept = tables.filter(({ ordinal }) => {
    const state = start.states[ordinal];
    return state?.kind === 'missing' && !state.holdsOwnRows;
  });
  if (kept.length === 0 || start.registration.replaceRows) return false;
  const from = formatPosition(beforeAll(source.history));
  const list = JSON.stringify(kept.map(({ relation, ordinal }) => ({ relation, capture: start.captures[ordinal] })));
  await target.batch([
    { text: beginApply },
    { text: insertWatermark, values: [stream.sync, stream.source, from, start.registration.id] },
    { text: forgetRangesOf, values: [stream.sync, stream.source, textArray(kept.map(({ relation }) => relation))] },
    { text: keepTables, values: [stream.sync, stream.source, from, list] },
    { text: setUnverified, values: [stream.sync, stream.source, REASON] },
    { text: commitApply },
  ]);
  return true;
}
