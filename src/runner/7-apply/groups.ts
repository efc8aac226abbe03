import type { Step } from '../6-diff/step.ts';

/** Steps of one transaction in one database. */
export type Group = { readonly database: string; readonly name: string; readonly steps: readonly Step[] };

/** Splits steps, in their order, into transactions. */
export function groupSteps(steps: readonly Step[]): readonly Group[] {
  const groups: { database: string; name: string; steps: Step[] }[] = [];
  for (const step of steps) {
    const last = groups[groups.length - 1];
    if (last && last.database === step.database && last.name === step.group) last.steps.push(step);
    else groups.push({ database: step.database, name: step.group, steps: [step] });
  }
  return groups;
}

/** The place right before or after the nth action of a group: its locks, each step's statements, and the record are actions. */
export function actionFailpoint(group: Group, side: 'before' | 'after', action: number | 'commit'): string {
  return `apply.${group.database}.${group.name}.${side}-${action}`;
}

/** Every failpoint that applying these steps passes, in order. */
export function failpointNames(steps: readonly Step[]): readonly string[] {
  return groupSteps(steps).flatMap((group) => {
    const numbers = Array.from({ length: group.steps.length + 2 }, (_, index) => index + 1);
    const actions: readonly (number | 'commit')[] = [...numbers, 'commit'];
    return actions.flatMap((action) => [actionFailpoint(group, 'before', action), actionFailpoint(group, 'after', action)]);
  });
}
