import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: {
    types: { mode: 'one-way', source: 'east', targets: ['west'], tables: ['public.fit', 'public.unfit', 'public.labels', 'public.made', 'public.local'] },
    keys: {
      mode: 'one-way',
      source: 'east',
      targets: ['west'],
      tables: ['public.made_by_server', 'public.lists', 'public.folding', { table: 'public.own_index', key: 'own_index_folded' }],
    },
  },
});
