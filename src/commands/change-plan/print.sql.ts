import { groupSteps } from '../../runner/7-apply/groups.ts';
import type { ChangePlan } from '../../runner/6-diff/step.ts';
import { effortText } from './print-text.ts';

/**
 * Purpose: a change plan as SQL for people who read SQL: each transaction of each database with its statements, and why. Running it by
 * hand would leave the inventory behind, which `apply` keeps in the same transactions. Called by: `sarrio plan --format sql`.
 */
export function printSql(changes: ChangePlan): string {
  const head = [`-- Change plan ${changes.id} of project ${changes.project}. To read, not to run: sarrio apply --expect ${changes.id}`];
  if (changes.steps.length === 0) return [...head, '-- Nothing to do.', ''].join('\n');
  const groups = groupSteps(changes.steps).flatMap((group) => [
    '',
    `-- database ${comment(group.database)}: ${comment(group.name)} (${comment(effortText(group))})`,
    'begin;',
    ...group.steps.flatMap(({ kind, object, reason, sql }) => [
      '',
      `-- ${kind} ${object.kind} ${comment(object.name)}: ${comment(reason)}`,
      ...(sql === '' ? [] : [sql.trim()]),
    ]),
    '',
    'commit;',
  ]);
  return [...head, ...groups, ''].join('\n');
}

/** A name or reason may hold a line end; what comes behind it would be run. */
function comment(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}
