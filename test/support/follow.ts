import { onTestFinished } from 'vitest';
import { run } from '../../src/runner/8-round/run.ts';
import { systemClock } from '../../src/runner/clock.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { type Failpoint, noFailpoint } from '../../src/runner/failpoint.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import type { TestDatabase } from './database.ts';
import type { Installation } from './installation.ts';
import type { Until } from '../../src/runner/8-round/stream-options.ts';

export type Following = { readonly events: readonly RunnerEvent[]; stop(): Promise<void> };

/** Runs all streams of the project until nothing is pending; the events that came. Fails with a stream's own error. */
export async function catchUp(
  project: Installation,
  failpoint: Failpoint = noFailpoint,
  beforeConnect: (database: string) => Promise<void> = async () => undefined,
): Promise<readonly RunnerEvent[]> {
  const events: RunnerEvent[] = [];
  const ends = await start(project, { until: 'caught-up', events, signal: new AbortController().signal, failpoint, beforeConnect });
  for (const end of ends) if (end.kind === 'gave-up') throw end.error;
  return events;
}

/** One round of each stream, and one full copy whether it is due or not; the events that came. */
export async function copyOnce(project: Installation, failpoint: Failpoint = noFailpoint): Promise<readonly RunnerEvent[]> {
  const events: RunnerEvent[] = [];
  const ends = await start(project, { until: 'once', events, signal: new AbortController().signal, failpoint });
  for (const end of ends) if (end.kind === 'gave-up') throw end.error;
  return events;
}

/** Leaves the streams running until the test stops them, at its end at the latest. */
export function follow(project: Installation, failpoint: Failpoint = noFailpoint): Following {
  const events: RunnerEvent[] = [];
  const stopped = new AbortController();
  const ended = start(project, { until: 'stopped', events, signal: stopped.signal, failpoint });
  const stop = async (): Promise<void> => {
    stopped.abort();
    await ended;
  };
  onTestFinished(stop);
  return { events, stop };
}

/** Runs until a failpoint has been passed so often, and no further: from there on nothing gets by it, and the run is told to end. */
export async function cutOff(project: Installation, point: string, nth: number): Promise<void> {
  const stopped = new AbortController();
  const state = { passed: 0 };
  const failpoint: Failpoint = async (name) => {
    if (name !== point) return;
    state.passed += 1;
    if (state.passed < nth) return;
    stopped.abort();
    throw new Error(`cut off at ${point}`);
  };
  await start(project, { until: 'stopped', events: [], signal: stopped.signal, failpoint });
}

/** How the rounds among the events brought their rows. */
export function paths(events: readonly RunnerEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === 'round' && event.rows > 0 ? [event.path] : []));
}

type Start = {
  readonly until: Until;
  readonly events: RunnerEvent[];
  readonly signal: AbortSignal;
  readonly failpoint: Failpoint;
  readonly beforeConnect?: (database: string) => Promise<void>;
};

async function start(project: Installation, { until, events, signal, failpoint, beforeConnect }: Start) {
  const { plan, files } = await project.generated();
  const urlOf = (database: string): string => project.env[plan.databases[database]?.url.env ?? ''] ?? '';
  return run(
    {
      plan,
      files,
      until,
      signal,
      clock: systemClock,
      failpoint,
      log: (event) => void events.push(event),
      connect: async (database, role) => {
        await beforeConnect?.(database);
        return connect({ database, role, url: urlOf(database), variable: 'URL' });
      },
    },
    [],
  );
}

/** The same script on every database. */
export async function onAll(databases: readonly TestDatabase[], script: string): Promise<void> {
  for (const database of databases) await database.script(script);
}
