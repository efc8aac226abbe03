import { defineReplication, env } from 'sarrio';

/** Rules that make one row of several: counters, columns, and both; among three masters, and a fourth one for one of the tables. */
export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL'), north: env('NORTH_URL') },
  syncs: {
    shop: {
      mode: 'multi-master',
      members: ['east', 'west', 'north'],
      tables: [
        { table: 'public.products', onConflict: { counters: ['stock', 'reserved'], columns: 'merge', otherwise: 'last-update-wins' } },
        { table: 'public.customers', onConflict: { columns: 'merge', otherwise: ['north', 'east'] } },
      ],
    },
    totals: {
      mode: 'multi-master',
      members: ['east', 'west'],
      tables: [{ table: 'public.totals', onConflict: { counters: ['sold'], otherwise: 'first-update-wins' }, captureTriggers: 'always' }],
    },
  },
});
