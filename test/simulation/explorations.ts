import type { Exploration } from './explore.ts';
import type { Budget } from './steps.ts';
import { firstWorld, type World } from './world.ts';

/** One row that is there and one that is not, of one table; or the second one of another table. */
const ROWS = {
  one: [['0/a', 'v0']],
  two: [
    ['0/a', 'v0'],
    ['0/b', ''],
  ],
  tables: [
    ['0/a', 'v0'],
    ['1/a', 'v0'],
  ],
} as const;

export type Start = { readonly members: number; readonly databases?: number; readonly rows?: keyof typeof ROWS; readonly copyLacks?: World['copyLacks'] };

export function startOf({ members, databases = members, rows = 'one', copyLacks = null }: Start): World {
  return { ...firstWorld({ members, databases, rows: new Map<string, string>(ROWS[rows]) }), copyLacks };
}

export function budgetOf(budget: Partial<Budget>): Budget {
  return { writes: 0, rounds: 0, open: 0, crashes: 0, joins: 0, leaves: 0, ...budget };
}

/** What is explored with every test run, and how deep. */
export const EXPLORATIONS: readonly Exploration[] = [
  { name: '2 members, 4 writes, 3 faulty rounds', start: startOf({ members: 2 }), budget: budgetOf({ writes: 4, rounds: 3 }), canMerge: true, between: true },
  { name: '2 members, 2 open transactions', start: startOf({ members: 2 }), budget: budgetOf({ writes: 3, rounds: 2, open: 2 }), between: true },
  { name: '2 members, crashes, purging', start: startOf({ members: 2 }), budget: budgetOf({ writes: 3, rounds: 2, crashes: 1, open: 1 }), isPurging: true },
  { name: '2 members, 2 keys', start: startOf({ members: 2, rows: 'two' }), budget: budgetOf({ writes: 3, rounds: 2 }), canMerge: true, between: true },
  {
    name: '2 members, 2 keys, an open transaction',
    start: startOf({ members: 2, rows: 'two' }),
    budget: budgetOf({ writes: 2, rounds: 2, open: 1 }),
    between: true,
  },
  { name: '2 members, 2 tables', start: startOf({ members: 2, rows: 'tables' }), budget: budgetOf({ writes: 3, rounds: 2 }), between: true },
  { name: '3 members, 3 writes, a faulty round', start: startOf({ members: 3 }), budget: budgetOf({ writes: 3, rounds: 1 }) },
  { name: '3 members, 2 writes, 2 faulty rounds', start: startOf({ members: 3 }), budget: budgetOf({ writes: 2, rounds: 2 }) },
  {
    name: '3 members, writes during rounds, an open transaction',
    start: startOf({ members: 3 }),
    budget: budgetOf({ writes: 2, rounds: 2, open: 1 }),
    canMerge: true,
    between: true,
  },
  { name: '3 members, crashes, purging', start: startOf({ members: 3 }), budget: budgetOf({ writes: 2, rounds: 2, crashes: 1 }), isPurging: true },
  // Together: any four steps of three members with two keys, a round among them.
  { name: '3 members, 2 keys', start: startOf({ members: 3, rows: 'two' }), budget: budgetOf({ writes: 2, rounds: 2 }) },
  { name: '3 members, 2 keys, more writes', start: startOf({ members: 3, rows: 'two' }), budget: budgetOf({ writes: 3, rounds: 1 }) },
  { name: '3 members, 2 keys, more rounds', start: startOf({ members: 3, rows: 'two' }), budget: budgetOf({ writes: 1, rounds: 3 }) },
  {
    name: '3 members, relayed rows that do not name their change: the same, but rules are shown rows and what these were made from',
    start: startOf({ members: 3 }),
    budget: budgetOf({ writes: 2, rounds: 2 }),
    variant: { isRelayNamed: false },
    forgives: /made or chosen in its place/,
  },
  {
    name: '2 members, a table that stops',
    start: startOf({ members: 2 }),
    budget: budgetOf({ writes: 2, rounds: 2, crashes: 1 }),
    canStop: true,
    isPurging: true,
  },
  {
    name: '2 members, 2 tables, one of which stops',
    start: startOf({ members: 2, rows: 'tables' }),
    budget: budgetOf({ writes: 2, rounds: 2 }),
    canStop: true,
  },
  {
    name: '3 members, a table that stops',
    start: startOf({ members: 3 }),
    budget: budgetOf({ writes: 2, rounds: 2 }),
    canStop: true,
    isPurging: true,
  },
  { name: '3 members, a table that stops, more rounds', start: startOf({ members: 3 }), budget: budgetOf({ writes: 1, rounds: 3 }), canStop: true },
  {
    name: '2 members, a third one joins, one leaves',
    start: startOf({ members: 2, databases: 3 }),
    budget: budgetOf({ writes: 2, rounds: 2, joins: 1, leaves: 1 }),
    isPurging: true,
  },
  { name: '3 members, one leaves', start: startOf({ members: 3 }), budget: budgetOf({ writes: 2, rounds: 2, leaves: 1 }), isPurging: true },
];

/** For a machine that has the time: the same with more of everything. */
export const DEEP: readonly Exploration[] = EXPLORATIONS.map((exploration) => {
  const { writes, rounds } = exploration.budget;
  return { ...exploration, name: `${exploration.name}, deeper`, budget: { ...exploration.budget, writes: writes + 1, rounds: rounds + 1 } };
});
