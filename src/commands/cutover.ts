import { failure } from '../plan/errors.ts';
import { loadGenerated } from '../plan/generated-files.ts';
import type { PlanOneWay } from '../plan/plan.ts';
import { abort, cutover } from '../runner/10-cutover/cutover.ts';
import type { CutoverOptions } from '../runner/10-cutover/cutover-options.ts';
import type { CutoverLog } from '../runner/10-cutover/steps.ts';
import { heldText, reverseText } from '../runner/10-cutover/texts.ts';
import { systemClock } from '../runner/clock.ts';
import { failpointFromEnv } from '../runner/failpoint.ts';
import { addWaitLock, generatedDir, numberOption } from './change-options.ts';
import { parseDuration } from './duration.ts';
import { databaseConnector } from './plan-databases.ts';
import { plannedSync } from './planned-sync.ts';
import type { Verb, VerbContext, VerbResult } from './verb.ts';
import type { CutoverResult } from '../runner/10-cutover/cutover-result.ts';

type Options = Readonly<Record<string, unknown>>;

/** `sarrio cutover`: a target of a one-way sync takes over as the side that is written to. */
export const verb: Verb = {
  configure: (command) => {
    addWaitLock(command)
      .argument('<sync>', 'the one-way sync')
      .option('--target <database>', 'the target that takes over, where the sync has several')
      .option('--wait <duration>', 'longest wait for transactions on the tables, and for what is pending to arrive', parseDuration, 60_000)
      .option('--hold', 'stop before the target is opened, to put the stream back in place first')
      .option('--abort', 'undo a cut-over that is not finished: open again what it has closed');
  },
  run: async (options, context) => {
    const cutting = await cutoverOptions(options, context);
    return options['abort'] === true ? undone(cutting) : switched(cutting);
  },
};

async function switched(cutting: CutoverOptions): Promise<VerbResult> {
  const { sync, target, planned } = cutting;
  const result = await cutover(cutting);
  const isReversed = result.kind === 'reversed';
  const [from, to] = isReversed ? [target, planned.source] : [planned.source, target];
  return {
    exit: 'ok',
    data: { sync, source: from, target: to, state: result.kind === 'already' ? 'opened' : result.kind, changed: result.kind !== 'already' },
    diagnostics: [],
    text: resultText(cutting, result),
  };
}

function resultText(cutting: CutoverOptions, { kind, since }: CutoverResult): string {
  const { sync, target, planned } = cutting;
  switch (kind) {
    case 'held':
      return `Sync ${sync}: all but the opening of ${target} is done.\n${heldText(cutting)}`;
    case 'reversed':
      return `Sync ${sync}: ${planned.source} has taken over, and what is written there is captured for ${target}. Point the applications to ${planned.source}. To switch back: sarrio cutover ${sync}`;
    case 'opened':
      return `Sync ${sync}: ${target} has taken over. Point the applications to ${target}.\n${reverseText(cutting)}`;
    case 'already':
      return `${target} has taken over already (cut-over of ${since}); ${planned.source} stays closed.\n${reverseText(cutting)}`;
    default:
      return kind satisfies never;
  }
}

async function undone(cutting: CutoverOptions): Promise<VerbResult> {
  const { sync, target, planned } = cutting;
  const { step } = await abort(cutting);
  return {
    exit: 'ok',
    data: { sync, source: planned.source, target, state: 'aborted', from: step },
    diagnostics: [],
    text: `The cut-over of sync ${sync} was undone (it had come to step '${step}'): ${planned.source} takes writes as before, ${target} goes on following it.`,
  };
}

async function cutoverOptions(options: Options, context: VerbContext): Promise<CutoverOptions> {
  const { plan, files } = await loadGenerated(generatedDir(options, context));
  const sync = String(options['sync']);
  const planned = plannedSync(plan, sync);
  if (planned.mode !== 'one-way') throw notOneWay(sync, planned.mode);
  return {
    ...{ plan, files, sync, planned },
    target: targetOf(sync, planned, options['target']),
    connect: databaseConnector(plan, context),
    by: context.env['USER'] ?? 'somebody',
    hold: options['hold'] === true,
    waitMs: numberOption(options, 'wait'),
    waitLockMs: numberOption(options, 'waitLock'),
    clock: systemClock,
    log: printer(context),
    failpoint: failpointFromEnv(context.env),
    signal: context.signal,
  };
}

function printer({ output }: VerbContext): CutoverLog {
  return (event) => {
    if (event.kind === 'step-done') output.err(`[${event.step}] ${event.text}. ${event.back}\n`);
    else output.err(`${event.text} ...\n`);
  };
}

function targetOf(sync: string, { targets }: PlanOneWay, wanted: unknown): string {
  if (typeof wanted === 'string' && targets.includes(wanted)) return wanted;
  const [only, ...others] = targets;
  if (wanted === undefined && only !== undefined && others.length === 0) return only;
  const message = wanted === undefined ? `sync ${sync} has several targets, and one of them takes over` : `sync ${sync} has no target ${String(wanted)}`;
  throw failure('invalid', { code: 'SAR800', message, hint: `Name it with --target: ${targets.join(', ')}` });
}

function notOneWay(sync: string, mode: string): Error {
  const hint =
    mode === 'multi-master' ? 'Between masters every member takes writes: point the applications to another one.' : 'Only a one-way sync follows its source.';
  return failure('invalid', { code: 'SAR800', message: `sync ${sync} is ${mode}; a cut-over switches the source of a one-way sync`, hint });
}
