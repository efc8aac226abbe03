import { pause } from '../runner/8-round/control.ts';
import { parseMoment } from './duration.ts';
import { atSources } from './planned-sync.ts';
import type { Verb } from './verb.ts';

/** `sarrio pause`: a sync rests, in every runner and through restarts, until `sarrio resume` or a time. */
export const verb: Verb = {
  configure: (command) =>
    void command
      .requiredOption('--sync <name>', 'the sync')
      .option('--reason <text>', 'why, for whoever looks at `sarrio status`')
      .option('--until <time>', "when it goes on by itself: a time from now (30min, 2h, 1d) or a moment ('2026-12-01T06:00+01:00')", parseMoment),
  run: async (options, context) => {
    const sync = String(options['sync']);
    const terms = { reason: textOf(options['reason']), until: textOf(options['until']) };
    const changed = (await atSources(options, context, (source, name) => pause(source, name, context.env['USER'] ?? 'somebody', terms))).includes(true);
    const end = terms.until === null ? 'Go on with' : `It goes on at ${terms.until}, or with`;
    const text = changed
      ? `Sync ${sync} is paused: a round or copy under way ends, then its targets are left alone. Their changes are kept. ${end}: sarrio resume --sync ${sync}`
      : `Sync ${sync} was paused already.`;
    return { exit: 'ok', data: { sync, changed }, diagnostics: [], text };
  },
};

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
