// biome-ignore-all lint: what is wrong here is meant
import { type Conflict, type ConflictHandler, defineReplication, env, skip, take } from 'sarrio';
import unnamed, { counting, reading } from './rules/helpers.ts';
import * as rules from './rules/helpers.ts';

const east = env('EAST_URL');
const favourites = ['east', 'west'].sort();
const { length: count } = favourites;
const RANKS = { east: 1, west: 2 };
let winner = 'east';

declare const leftover: string;

const preferring = (name: string): ConflictHandler => () => take(name);
const made: ConflictHandler = () => {
  const inner = (conflict: Conflict) => take(conflict.latest.database);
  return inner as unknown as ReturnType<ConflictHandler>;
};

class Judge {
  static best = 'east';
}

export default defineReplication({
  databases: { east, west: env('WEST_URL') },
  syncs: {
    found: {
      mode: 'multi-master',
      members: ['east', 'west'],
      onConflict: preferring('east'),
      tables: [
        { table: 'public.a', onConflict: [made][0] as ConflictHandler },
        { table: 'public.b', onConflict: counting },
        { table: 'public.c', onConflict: reading },
        { table: 'public.d', onConflict: unnamed },
        { table: 'public.e', onConflict: () => rules.counting({} as Conflict) },
      ],
    },
    made: {
      mode: 'multi-master',
      members: ['east', 'west'],
      tables: ['public.a', 'public.b'].map((table) => ({ table, onConflict: () => take('east') })),
    },
    outside: {
      mode: 'multi-master',
      members: ['east', 'west'],
      tables: [
        { table: 'public.a', onConflict: () => take(winner) },
        { table: 'public.b', onConflict: () => take(favourites[0] ?? count.toString()) },
        {
          table: 'public.c',
          onConflict: (conflict) => {
            RANKS.east += 1;
            winner = 'west';
            return take(Judge.best + conflict.table + leftover);
          },
        },
        {
          table: 'public.d',
          onConflict: () => {
            const today = new Date();
            if (Date.now() > Number(today) || performance.now() > Math.random()) return skip();
            const { random } = Math;
            return take(crypto.randomUUID().localeCompare(String(random())) > 0 ? 'east' : 'west');
          },
        },
        {
          table: 'public.e',
          onConflict() {
            console.log(this, process.env, import.meta.url);
            fetch('http://localhost/');
            setTimeout(() => take('east'), 1);
            (globalThis as { left?: string }).left = 'behind';
            return take('east');
          },
        },
        { table: 'public.f', onConflict: (async () => take((await import('node:path')).sep)) as unknown as ConflictHandler },
        { table: 'public.g', onConflict: (conflict) => (conflict.constructor as FunctionConstructor)('return 1')() ?? eval('1') ?? new Function('1') },
        {
          table: 'public.h',
          onConflict: () => {
            class Best {}
            return take(String(new Best()) + String(structuredClone(1)) + String(Reflect.ownKeys({})) + String(Promise.resolve(1)));
          },
        },
      ],
    },
  },
});
