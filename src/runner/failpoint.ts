import { once } from 'node:events';

/** A named place where a crash test may stop the process. Does nothing unless that place was named. */
export type Failpoint = (name: string) => Promise<void>;

/** For everything but crash tests. */
export const noFailpoint: Failpoint = async () => undefined;

/**
 * `SARRIO_FAILPOINT=name[:nth]=kill` ends the process with SIGKILL at the nth time it comes by; `=pause` says so on standard error
 * and waits for SIGUSR2.
 */
export function failpointFromEnv(env: Readonly<Record<string, string | undefined>>): Failpoint {
  const match = /^(.+?)(?::(\d+))?=(kill|pause)$/.exec(env['SARRIO_FAILPOINT'] ?? '');
  if (!match) return noFailpoint;
  const [, wanted, nth = '1', action] = match;
  const counter = { hits: 0 };
  return async (name) => {
    if (name !== wanted) return;
    counter.hits += 1;
    if (counter.hits !== Number(nth)) return;
    if (action === 'kill') await killSelf();
    else await pause(name);
  };
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
