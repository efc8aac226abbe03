import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: {
    shop: {
      mode: 'one-way',
      source: 'east',
      targets: ['west'],
      tables: ['public.s', 'public.t', 'public.z'].sort((one, other) => one.localeCompare(other)),
    },
  },
});
