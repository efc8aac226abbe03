import type { CutoverOptions } from './cutover-options.ts';
import type { Step } from './steps.ts';

type About = Pick<CutoverOptions, 'sync' | 'planned' | 'target'>;

/** What is being done. */
export function doing({ planned, target }: About, step: Step): string {
  const texts: Readonly<Record<Step, string>> = {
    begun: 'recording the cut-over',
    'target-closed': `closing ${target} to applications until it takes over`,
    'source-closed': `closing ${planned.source}: waiting for transactions that have written to the tables`,
    drained: `waiting until ${target} has everything`,
    verified: 'comparing all rows',
    carried: 'carrying sequences',
    opened: `opening ${target}`,
  };
  return texts[step];
}

/** What was done; `found` is what the step counted. */
export function done({ planned, target }: About, step: Step, found: number): string {
  const texts: Readonly<Record<Step, string>> = {
    begun: 'recorded',
    'target-closed': `${target}: ${found} tables refuse writes of applications; replicated rows go on`,
    'source-closed': `${planned.source}: ${found} tables refuse every write`,
    drained: `${target} has everything that ${planned.source} has`,
    verified: `${found.toLocaleString('en-US')} rows are equal on both sides`,
    carried:
      planned.sequences === 'ignore'
        ? 'sequences were left alone, as the config says'
        : `${found} sequences of ${target} go on where those of ${planned.source} have ended`,
    opened: `${target}: ${found} tables take writes. ${planned.source} stays closed`,
  };
  return texts[step];
}

/** The way back from there. */
export function backFrom({ sync, planned, target }: About, step: Step): string {
  if (step !== 'opened') return `Back: sarrio cutover ${sync} --abort`;
  return `Back: by replicating from ${target} to ${planned.source}, see below`;
}

/** What the config says once it is turned round; `existingRows` decides whether rows are copied. */
function turned({ sync, planned, target }: About, existingRows: string): readonly string[] {
  const others = planned.targets.filter((each) => each !== target);
  const targets = [planned.source, ...others].map((each) => `'${each}'`).join(', ');
  const first = others.length > 0 && existingRows === 'keep' ? [`  0. See in sarrio status that nothing is pending for ${others.join(', ')}`] : [];
  return [
    ...first,
    `  1. In the config, sync ${sync}: source: '${target}', targets: [${targets}], existingRows: '${existingRows}'`,
    '  2. sarrio pull && sarrio compile, review, sarrio plan',
    `  3. sarrio apply --allow drop-stream:${sync}/${target} (and what else plan names: changes kept in ${planned.source}, all of which ${target} has)`,
  ];
}

/** What to do once the target has taken over. */
export function reverseText(about: About): string {
  const { sync, planned, target } = about;
  const { source } = planned;
  return [
    `To replicate back, from ${target} to ${source}:`,
    ...turned(about, 'replace'),
    `  4. sarrio run copies the rows of ${target} to ${source} and follows. ${source} stays closed to applications all the while.`,
    `  5. To switch back: sarrio cutover ${sync}, which then opens ${source}.`,
    `To retire ${source}: sarrio destroy, which takes the closing triggers away too.`,
  ].join('\n');
}

/** What to do while both sides are closed, so that the way back needs no copy. */
export function heldText(about: About): string {
  const { sync, planned, target } = about;
  return [
    `Both sides are closed and equal. To open ${target} with the stream back to ${planned.source} in place, and no row copied:`,
    ...turned(about, 'keep'),
    `  4. sarrio cutover ${sync} opens ${target}; then sarrio run, and sarrio verify --sync ${sync} once`,
    `To open ${target} without a way back: sarrio cutover ${sync}. To undo everything (with the config as it is now): sarrio cutover ${sync} --abort`,
  ].join('\n');
}
