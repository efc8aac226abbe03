import type { Plan } from '../../plan/plan.ts';
import { readStatus } from '../8-round/status.ts';
import type { CutoverOptions } from './cutover-options.ts';
import type { StreamStatus } from '../8-round/stream-status.ts';

type Stream = Pick<CutoverOptions, 'plan' | 'planned' | 'sync' | 'target' | 'connect'>;

/** The plan with nothing in it but the stream that is cut over. */
export function onlyStream({ plan, planned, sync, target }: Stream): Plan {
  return { ...plan, syncs: { [sync]: { ...planned, targets: [target] } } };
}

/** As `sarrio status` shows it. */
export async function streamStatus(stream: Stream): Promise<StreamStatus> {
  const [status] = await readStatus(onlyStream(stream), (database) => stream.connect(database, 'status'));
  if (status === undefined) throw new Error('the stream has no status');
  return status;
}
