import type { StreamState } from '../events.ts';
import type { Session } from '../postgres/session.ts';
import type { Source } from './source.ts';
import type { Wake } from './wake.ts';
import type { CopyAside, StreamOptions } from './stream-options.ts';

/** A stream with both ends connected and the lease held. */
export type Following = StreamOptions & {
  readonly aside: CopyAside;
  readonly source: Source;
  readonly wake: Wake;
  readonly target: Session;
  readonly onProgress: () => void;
  readonly enter: (state: StreamState, reason: string | null) => void;
};
