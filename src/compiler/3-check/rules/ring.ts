import type { ModelMultiMaster } from '../../2-model/model.ts';
import { type CheckInput, type Finding, masterTables, type Rule } from '../rule.ts';

/**
 * SAR276. Two changes of one row that follow each other would go round the ring by two ways; one of them tells cause and effect, the
 * other one times only, and where these disagree the two chase each other for ever (test/simulation shows it).
 */
export const ring: Rule = {
  code: 'SAR276',
  severity: 'error',
  summary: 'multi-master syncs form a ring',
  explanation:
    'A change may reach a database by one way only: stars, chains and trees of multi-master syncs carry everything everywhere and fall quiet, a ring need not. Put the databases into one sync.',
  example: 'a-b, b-c and c-a as three multi-master syncs',
  cure: 'One multi-master sync of all three.',
  run: (input) => tablesByName(input).flatMap((placed) => ringsOf(placed)),
};

type Placed = ReturnType<typeof masterTables>[number];

/** The syncs over each table; members have it under the same name. */
function tablesByName(input: CheckInput): readonly (readonly Placed[])[] {
  const groups = new Map<string, Placed[]>();
  for (const placed of masterTables(input)) groups.set(placed.label, [...(groups.get(placed.label) ?? []), placed]);
  return [...groups.values()];
}

/** A sync whose members are connected already closes a ring. Two syncs that share two members have a diagnostic of their own. */
function ringsOf(placed: readonly Placed[]): readonly Finding[] {
  const above = new Map<string, string>();
  const find = (name: string): string => {
    const next = above.get(name);
    return next === undefined ? name : find(next);
  };
  const seen: ModelMultiMaster[] = [];
  return placed.flatMap(({ sync, label, path }): readonly Finding[] => {
    const roots = sync.members.map(find);
    const closes = new Set(roots).size < roots.length;
    const sharesTwo = seen.some(({ members }) => members.filter((member) => sync.members.includes(member)).length > 1);
    seen.push(sync);
    const [first = '', ...others] = roots;
    for (const other of others) if (find(other) !== find(first)) above.set(find(other), find(first));
    if (!closes || sharesTwo) return [];
    const names = seen.map(({ name }) => name).join(', ');
    return [
      {
        path,
        message: `the multi-master syncs ${names} carry ${label} round in a ring`,
        hint: 'Make one multi-master sync of their databases, or leave one out.',
      },
    ];
  });
}
