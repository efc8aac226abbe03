import type { Diagnostic } from '../plan/diagnostic.ts';
import type { CutoverStatus } from '../runner/10-cutover/cutover-status.ts';

/** One that has stopped half way needs a person: applications cannot write. */
export function cutoverWarnings(cutovers: readonly CutoverStatus[]): readonly Diagnostic[] {
  return cutovers.flatMap(({ sync, source, target, step, by, since }): readonly Diagnostic[] => {
    if (step === 'opened') return [];
    const message =
      step === 'aborting' ? `an abort of the cut-over by ${by} of ${since} is not finished` : `a cut-over by ${by} of ${since} stands after step '${step}'`;
    const hint =
      step === 'aborting' ? `Let it end: sarrio cutover ${sync} --abort` : `To go on: sarrio cutover ${sync}. To undo it: sarrio cutover ${sync} --abort`;
    return [{ code: 'SAR815', severity: 'warning', where: `sync ${sync}, ${source} -> ${target}`, message, hint, span: null }];
  });
}

export function cutoverText(cutovers: readonly CutoverStatus[]): readonly string[] {
  return cutovers.flatMap(({ sync, source, target, step, since }) =>
    step === 'opened' ? [`${sync}: ${target} has taken over (cut-over of ${since}); ${source} takes no writes`] : [],
  );
}
