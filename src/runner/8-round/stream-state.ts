import type { StreamState } from '../events.ts';
import type { StreamProgress } from './stream-options.ts';

/** What a stream is doing, for whoever asks from outside: one that fails in every round is not called running in between. */
export function stateOf({ state, isFailing }: StreamProgress): StreamState {
  return isFailing && state !== 'paused' ? 'failed' : state;
}
