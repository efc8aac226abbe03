import { once } from 'node:events';

/** A named place where a crash test may stop the process. Does nothing unless that place was named. */
export type Failpoint = (name: string) => Promise<void>;

/** For everything but crash tests. */
export const noFailpoint: Failpoint = async () => undefined;

/** One place of a list, and how often it is passed before. */
type Stop = { readonly name: string; readonly nth: number; readonly action: string };

/**
 * `SARRIO_FAILPOINT=name[:nth]=kill` ends the process with SIGKILL at the nth time it comes by; `=pause` says so on standard error
 * and waits for SIGUSR2. Of several, separated by commas, each counts once the process has gone on from the one before.
 */
export function failpointFromEnv(env: Readonly<Record<string, string | undefined>>): Failpoint {
  const stops = (env['SARRIO_FAILPOINT'] ?? '').split(',').flatMap(stopOf);
  if (stops.length === 0) return noFailpoint;
  const state = { next: 0, hits: 0 };
  return async (name) => {
    const stop = stops[state.next];
    if (stop?.name !== name) return;
    state.hits += 1;
    if (state.hits !== stop.nth) return;
    if (stop.action === 'kill') await killSelf();
    await pause(name);
    Object.assign(state, { next: state.next + 1, hits: 0 });
  };
}

function stopOf(text: string): readonly Stop[] {
  const [, name, nth = '1', action] = /^(.+?)(?::(\d+))?=(kill|pause)$/.exec(text) ?? [];
  return name === undefined || action === undefined ? [] : [{ name, nth: Number(nth), action }];
}

/** Never resolves: no statement may follow the signal. */
async function killSelf(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => undefined);
}

async function pause(name: string): Promise<void> {
  const resumed = once(process, 'SIGUSR2');
  process.stderr.write(`failpoint ${name}\n`);
  await resumed;
}
