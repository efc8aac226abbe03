/** What a cut-over has done, in this order. Each is recorded in the source once it is done, so that the next call goes on from there. */
export const STEPS = ['begun', 'target-closed', 'source-closed', 'drained', 'verified', 'carried', 'opened'] as const;

export type Step = (typeof STEPS)[number];

/** As `sarrio.cutover` has it: besides the steps, an abort under way. */
export type Recorded = { readonly id: string; readonly target: string; readonly step: Step | 'aborting'; readonly by: string; readonly since: string };

export function isDone(recorded: Step, step: Step): boolean {
  return STEPS.indexOf(recorded) >= STEPS.indexOf(step);
}

/** What a cut-over reports while it works. */
export type CutoverEvent =
  | { readonly kind: 'step-started'; readonly step: Step; readonly text: string }
  | { readonly kind: 'step-done'; readonly step: Step; readonly text: string; readonly back: string }
  | { readonly kind: 'waiting'; readonly text: string };

export type CutoverLog = (event: CutoverEvent) => void;
