import type { Generated } from '../plan/generated-files.ts';
import type { StreamEnd } from '../runner/8-round/stream.ts';
import type { RunOptions } from '../runner/8-round/sync-runner.ts';
import { systemClock } from '../runner/clock.ts';
import type { Log } from '../runner/events.ts';
import { failpointFromEnv } from '../runner/failpoint.ts';
import { eventText } from '../runner/print-text.ts';
import { keepHeapSmall } from '../runner/small-heap.ts';
import { environmentOf, generatedDir } from './change-options.ts';
import { runFollowing } from './follow-generated.ts';
import { parseAtLeastOne } from './duration.ts';
import { isAddress, parseAddress } from './health/address.ts';
import { makeHealth } from './health/health.ts';
import { serveHealth } from './health/serve-health.ts';
import { copyBars } from './report/copy-bars.ts';
import { databaseConnector } from './plan-databases.ts';
import type { Verb, VerbContext } from './verb.ts';
import type { Until } from '../runner/8-round/stream-options.ts';

/** `sarrio run`: executes the plan until it is stopped. */
export const verb: Verb = {
  configure: (command) => {
    command
      .option('--sync <name...>', 'only these syncs (default: all)')
      .option('--once', 'one round of each stream, then end')
      .option('--until-caught-up', 'end when nothing is pending')
      .option(
        '--jobs <count>',
        'tables and ranges of tables that an initial copy copies at the same time (default: as the config says, else 2)',
        parseAtLeastOne,
      )
      .option('--health <[host:]port>', 'answer /livez, /readyz, /status and /metrics over HTTP (host: 127.0.0.1 by default)', parseAddress)
      .option('--log <format>', 'events as text or json lines', 'text');
  },
  run: async (options, context) => {
    keepHeapSmall();
    const log = options['log'] === 'json' ? jsonLog(context) : textLog(context);
    const health = makeHealth();
    const server = isAddress(options['health']) ? await serveHealth(options['health'], health) : null;
    if (server !== null) log({ kind: 'health', url: server.url });
    const watched: Log = (event) => {
      health.heard(event);
      log(event);
    };
    const ends = await runFollowing({
      dir: generatedDir(options, context),
      environment: environmentOf(options),
      syncs: stringList(options['sync']),
      optionsFor: (generated) => ({ ...runOptions(generated, options, context), log: watched, onStreams: health.began }),
    }).finally(() => server?.close());
    const failed = ends.find((end): end is Extract<StreamEnd, { kind: 'gave-up' }> => end.kind === 'gave-up');
    if (failed) throw failed.error;
    return { exit: 'ok', data: { streams: ends.length }, diagnostics: [], text: '' };
  },
};

function runOptions({ plan, files }: Generated, options: Readonly<Record<string, unknown>>, context: VerbContext): Omit<RunOptions, 'log'> {
  return {
    plan,
    files,
    connect: databaseConnector(plan, context),
    until: untilOf(options),
    jobs: typeof options['jobs'] === 'number' ? options['jobs'] : null,
    clock: systemClock,
    failpoint: failpointFromEnv(context.env),
    signal: context.signal,
  };
}

function untilOf(options: Readonly<Record<string, unknown>>): Until {
  if (options['once'] === true) return 'once';
  return options['untilCaughtUp'] === true ? 'caught-up' : 'stopped';
}

/** Events are progress and go to standard error; as JSON lines they are the payload. On a terminal copies have bars. */
function textLog({ output, columns }: VerbContext): Log {
  const bars = columns === null ? null : copyBars({ write: output.err, width: columns });
  return (event) => {
    const text = eventText(event);
    const line = text === null ? null : `${new Date().toISOString()} ${text}`;
    if (bars !== null) bars(event, line);
    else if (line !== null) output.err(`${line}\n`);
  };
}

function jsonLog({ output }: VerbContext): Log {
  return (event) => output.out(`${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`);
}

function stringList(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
