import { canonical } from './canonical.ts';
import { type Change, commit, type Image, type OpenTransaction, write } from './image.ts';
import { entriesOf, faultsOfQuietKeys, faultsOfRound, faultsWhenQuiet, pictureOf } from './invariants.ts';
import { type RoundRun, type RoundStep, runRound, surviving, type Variant } from './round.ts';
import { ServerError } from './server.ts';
import { actsAt, type Budget, numbered, opens, settledDown, type Step, stepsBetweenRounds } from './steps.ts';
import { imageOf, membersOf, withImage, type World } from './world.ts';

export type Exploration = {
  readonly name: string;
  readonly start: World;
  readonly budget: Budget;
  /** Decisions may make a row of all candidates. */
  readonly canMerge?: boolean;
  /** Everything that may be purged is, at once. */
  readonly isPurging?: boolean;
  /** Applications write between a round's snapshots and its commits. */
  readonly between?: boolean;
  /** A round may leave the first table out. */
  readonly canStop?: boolean;
  /** Members may change places without a difference. */
  readonly isSymmetric?: boolean;
  readonly variant?: Variant;
  /** Faults to pass over. */
  readonly forgives?: RegExp;
};

export type Found = {
  readonly states: number;
  readonly rounds: number;
  /** The shortest way to something wrong; null when there is none. */
  readonly violation: string | null;
};

type Node = Step & { readonly parent: Node | null; readonly canonical: string };

/** Breadth first, so that what is found is found on the shortest way. After each state a recovery without faults is checked. */
export async function explore(exploration: Exploration): Promise<Found> {
  const explorer = { exploration, seen: new Set<string>(), recovered: new Set<string>(), count: { states: 0, rounds: 0 } };
  let level: readonly Node[] = [{ label: 'start', world: exploration.start, budget: exploration.budget, parent: null, canonical: '' }];
  while (level.length > 0) {
    const next: Node[] = [];
    for (const node of level) {
      const faults = await visit(explorer, node, next);
      if (faults.length > 0) return { ...explorer.count, violation: [...faults, ...trace(node)].join('\n  ') };
    }
    level = next;
  }
  return { ...explorer.count, violation: null };
}

type Explorer = {
  readonly exploration: Exploration;
  readonly seen: Set<string>;
  readonly recovered: Set<string>;
  readonly count: { states: number; rounds: number };
};

async function visit(explorer: Explorer, node: Node, next: Node[]): Promise<readonly string[]> {
  const { exploration, count } = explorer;
  count.states += 1;
  const faults = [...faultsOfQuietKeys(node.world), ...(await recover(explorer, node))];
  if (faults.length > 0) return faults;
  for (const step of stepsBetweenRounds(node.world, node.budget)) enqueue(explorer, node, step, next);
  if (node.budget.rounds === 0) return [];
  for (const present of subsets(membersOf(node.world)).filter(({ length }) => length >= 2)) {
    for (const between of betweens(node, present, exploration)) {
      for (const stopped of exploration.canStop ? [[], [0]] : [[]]) {
        const wrong = await roundsOf(explorer, node, { present, between, stopped }, next);
        if (wrong.length > 0) return wrong;
      }
    }
  }
  return [];
}

function enqueue({ exploration, seen }: Explorer, parent: Node, step: Step, next: Node[]): void {
  const world = settledDown(step.world, { budget: step.budget, isPurging: exploration.isPurging ?? false });
  const text = canonical(world, { isSymmetric: exploration.isSymmetric ?? true, canCrash: step.budget.crashes > 0 });
  const key = `${Object.values(step.budget)} ${text}`;
  if (seen.has(key)) return;
  seen.add(key);
  next.push({ ...step, world, parent, canonical: text });
}

type Between = { readonly label: string; readonly act: RoundStep['between']; readonly world: World; readonly budget: Budget };

/** What happens at one member while a round is under way: nothing, or a transaction, or the end of one. */
function betweens({ world, budget }: Node, present: readonly number[], { between }: Exploration): readonly Between[] {
  const nothing: Between = { label: '', act: null, world, budget };
  const ends = opens(world)
    .filter(({ database }) => present.includes(database))
    .map(({ database, transaction }) => ({
      label: `, meanwhile commit of ${transaction.xid} at d${database}`,
      act: { database, act: commitOf(transaction) },
      world,
      budget,
    }));
  if (!between || budget.writes === 0) return [nothing, ...ends];
  const acts = present
    .flatMap((database) => actsAt(world, database))
    .map((act) => ({
      label: `, meanwhile ${act.label}`,
      act: { database: act.database, act: writeOf(act.changes) },
      world: numbered(world, act),
      budget: { ...budget, writes: budget.writes - 1 },
    }));
  return [nothing, ...ends, ...acts];
}

/** All that a round among these members can come to. */
async function roundsOf(
  explorer: Explorer,
  node: Node,
  { present, between, stopped }: { present: readonly number[]; between: Between; stopped: readonly number[] },
  next: Node[],
): Promise<readonly string[]> {
  const { exploration, count } = explorer;
  const choices = [...present, ...(exploration.canMerge ? ['merge' as const] : [])];
  for (const choice of choices) {
    count.rounds += 1;
    const run = await runRound(between.world, { present, choice, between: between.act, stopped }, exploration.variant);
    const faults = faultsOfRound(between.world, run, stopped).filter((fault) => !exploration.forgives?.test(fault));
    const label = `round of ${present.map((each) => `d${each}`).join(', ')}${stopped.length > 0 ? ' without the first table' : ''}${run.decided.length > 0 ? ` choosing ${choice}` : ''}${between.label}`;
    if (faults.length > 0) return [...faults, label];
    const budget = { ...between.budget, rounds: between.budget.rounds - 1 };
    for (const survivors of subsets([...run.committed.keys()])) {
      enqueue(
        explorer,
        node,
        { label: `${label}, committed at ${survivors.map((each) => `d${each}`).join(', ') || 'none'}`, world: surviving(run, survivors), budget },
        next,
      );
    }
    if (run.committed.size === 0) enqueue(explorer, node, { label: `${label}: ${told(run)}`, world: run.world, budget }, next);
    if (run.decided.length === 0) break;
  }
  return [];
}

function told({ result }: RoundRun): string {
  return result instanceof ServerError ? result.message : result.kind;
}

/** Everybody is up, open transactions commit, nothing fails: one round brings everything everywhere, and a second one finds nothing. */
async function recover({ exploration, recovered, count }: Explorer, node: Node): Promise<readonly string[]> {
  const { world: from, budget } = node;
  const key = budget.crashes === 0 ? node.canonical : canonical(from, { isSymmetric: exploration.isSymmetric ?? true, canCrash: false });
  if (recovered.has(key)) return [];
  recovered.add(key);
  const before = opens(from).reduce((sum, { database, transaction }) => withImage(sum, database, commitOf(transaction)(imageOf(sum, database))), from);
  if (membersOf(before).length < before.databases) return [];
  const step = { present: membersOf(before), choice: membersOf(before)[0] ?? 0, between: null };
  const first = await runRound(before, step, exploration.variant);
  const after = surviving(first, [...first.committed.keys()]);
  const second = await runRound(after, step, exploration.variant);
  count.rounds += 2;
  const faults = [
    ...faultsOfRound(before, first),
    ...faultsWhenQuiet(after),
    ...echoes(first, second),
    ...(entriesOf(second.world) > entriesOf(after) ? ['entries without changes'] : []),
  ];
  const left = faults.filter((fault) => !exploration.forgives?.test(fault));
  return left.length === 0 ? [] : [...left, `after recovery:`, `  ${pictureOf(after)}`];
}

function echoes(first: RoundRun, second: RoundRun): readonly string[] {
  if (first.result instanceof ServerError) return [`recovery failed: ${first.result.message}`];
  if (second.result instanceof ServerError) return [`recovery failed: ${second.result.message}`];
  return second.result.kind === 'nothing' ? [] : ['not quiet after a round with everybody'];
}

function trace(node: Node): readonly string[] {
  return [...(node.parent === null ? ['the way there:'] : trace(node.parent)), `${node.label}\n    ${pictureOf(node.world)}`];
}

function commitOf(transaction: OpenTransaction): (image: Image) => Image {
  return (image) => commit(image, transaction);
}

function writeOf(changes: readonly Change[]): (image: Image) => Image {
  return (image) => write(image, changes);
}

function subsets([first, ...rest]: readonly number[]): readonly (readonly number[])[] {
  if (first === undefined) return [[]];
  const without = subsets(rest);
  return [...without, ...without.map((set) => [first, ...set])];
}
