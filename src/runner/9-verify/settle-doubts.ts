import { markVerified, unverifiedSince } from '../8-round/trust.ts';
import type { StreamName } from '../events.ts';
import type { VerifyOptions } from './verifying.ts';

/** A stream whose source came back with another history, and since when it waits for a comparison. */
type Doubt = { readonly stream: StreamName; readonly since: string };

/** Which of the streams wait for a comparison, asked before it begins. A target that cannot be reached shows when its tables are compared. */
export async function readDoubts({ connect }: VerifyOptions, all: readonly StreamName[]): Promise<readonly Doubt[]> {
  const streams = new Map(all.map((stream) => [JSON.stringify(stream), stream]));
  const doubts: Doubt[] = [];
  for (const stream of streams.values()) {
    const session = await connect(stream.target, 'status').catch(() => null);
    if (session === null) continue;
    try {
      const since = await unverifiedSince(session, stream);
      if (since !== null) doubts.push({ stream, since });
    } finally {
      await session.close();
    }
  }
  return doubts;
}

/** Takes the mark from streams of which every table was compared whole and found clean. */
export async function settleDoubts(options: VerifyOptions, doubts: readonly Doubt[], isClean: (stream: StreamName) => boolean): Promise<void> {
  const { sample, selection, connect } = options;
  if (sample < 100 || selection.tables.length > 0) return;
  for (const { stream, since } of doubts) {
    if (!isClean(stream)) continue;
    const session = await connect(stream.target, 'target');
    try {
      await markVerified(session, stream, since);
    } finally {
      await session.close();
    }
  }
}
