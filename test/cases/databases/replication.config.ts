import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL'), south: env('EAST_URL'), bytes: env('BYTES_URL'), latin: env('LATIN_URL') },
  syncs: {
    typo: { mode: 'one-way', source: 'eats', targets: ['wst', 'west'], tables: ['public.notes'] },
    itself: { mode: 'one-way', source: 'east', targets: ['east', 'west', 'west'], tables: ['public.notes'] },
    nothing: { mode: 'one-way', source: 'east', targets: ['west'], tables: [] },
    encoding: { mode: 'one-way', source: 'east', targets: ['bytes', 'latin'], tables: ['public.notes'] },
  },
});
