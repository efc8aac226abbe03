import { send } from '../support/process.ts';
import { pause } from '../support/wait.ts';
import type { Runner, Side, Stage } from './stage.ts';
import { CANCEL, TERMINATE } from './texts.sql.ts';

/** A number in [0, 1); the same seed gives the same numbers. */
export type Chance = () => number;

/** One way to hurt: what it does, and how often it is chosen beside the others. */
export type Fault = { readonly name: string; readonly weight: number; strike(stage: Stage, chance: Chance): Promise<void> };

const FROZEN_MS = 1_500;

const runner = (name: string, weight: number, strike: (runner: Runner) => Promise<unknown>): Fault => ({
  name: `runner ${name}`,
  weight,
  strike: async ({ runners }, chance) => {
    const one = runners[Math.floor(chance() * runners.length)];
    if (one) await strike(one);
  },
});

/** A way to hurt a database, so often on the average of two of them; with more of them, each is hurt less often. */
type SideFault = { readonly name: string; readonly weight: number; strike(side: Side, chance: Chance): Promise<unknown> };

const sided = (name: string, weight: number, strike: SideFault['strike']): SideFault => ({ name, weight, strike });

const again = (stop: (side: Side) => Promise<void>) => async (side: Side) => {
  await stop(side);
  await side.server.start();
};

/** Cuts the first connection that says the text, unless nobody says it soon. */
const cutAt =
  (text: string, when: 'before' | 'after') =>
  async ({ proxy }: Side) => {
    const cutting = proxy.cutAt({ text, when, nth: 1 });
    for (let turn = 0; turn < 40 && cutting.count() === 0; turn += 1) await pause(25);
    cutting.lift();
  };

/** The COMMIT of rounds and copies is a message of its own; a source's commits are those of acknowledging. */
export const COMMIT = 'commit\0';

const RUNNER_FAULTS: readonly Fault[] = [
  runner('SIGKILL', 14, (one) => one.current().kill()),
  runner('SIGTERM', 6, (one) => one.current().stop()),
  runner('frozen', 4, async (one) => {
    const { pid } = one.current();
    send(pid, 'SIGSTOP');
    await pause(FROZEN_MS);
    send(pid, 'SIGCONT');
  }),
];

const SIDE_FAULTS: readonly SideFault[] = [
  sided('backend terminated', 14, ({ database }, chance) => database.query(TERMINATE, [chance()])),
  sided('statement cancelled', 10, ({ database }, chance) => database.query(CANCEL, [chance()])),
  sided(
    'server immediate stop',
    4,
    again(({ server }) => server.stop('immediate')),
  ),
  sided(
    'server SIGKILL',
    3,
    again(({ server }) => server.kill()),
  ),
  sided('network cut', 6, async ({ proxy }) => proxy.cutAll()),
  sided('network frozen', 3, async ({ proxy }) => {
    proxy.freeze('all');
    await pause(FROZEN_MS);
    proxy.thaw();
  }),
  sided('commit lost', 8, cutAt(COMMIT, 'before')),
  sided('answer to commit lost', 8, cutAt(COMMIT, 'after')),
  sided('acknowledgement lost', 3, cutAt('update sarrio.acknowledged', 'after')),
];

/** Everything that can be struck on a stage. */
export function faultsOn({ sides }: Stage): readonly Fault[] {
  const names = Object.keys(sides);
  const ofSides = SIDE_FAULTS.flatMap(({ name, weight, strike }) =>
    names.map(
      (side): Fault => ({
        name: `${side} ${name}`,
        weight: (2 * weight) / names.length,
        strike: async (stage, chance) => void (await strike(sideOf(stage, side), chance)),
      }),
    ),
  );
  return [...RUNNER_FAULTS, ...ofSides];
}

export function sideOf({ sides }: Stage, name: string): Side {
  const found = sides[name];
  if (found === undefined) throw new Error(`there is no database ${name} on the stage`);
  return found;
}

/** One of them, by weight. */
export function pick(faults: readonly Fault[], chance: Chance): Fault {
  const total = faults.reduce((sum, { weight }) => sum + weight, 0);
  let left = chance() * total;
  const found = faults.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  const last = faults[faults.length - 1];
  if (!last) throw new Error('no faults');
  return found ?? last;
}

/** mulberry32: small, and good enough to choose what to kill. */
export function chanceFrom(seed: number): Chance {
  const state = { value: seed >>> 0 };
  return () => {
    state.value = (state.value + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state.value ^ (state.value >>> 15), 1 | state.value);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
