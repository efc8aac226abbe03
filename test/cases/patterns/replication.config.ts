import { defineReplication, env } from 'sarrio';

const kept = ['public.log_*', 'public."with.dot"'];

export default defineReplication({
  project: 'warehouse',
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: {
    all: {
      mode: 'one-way',
      source: 'east',
      targets: ['west'],
      tables: [
        { table: 'public.*', columns: { omit: ['secret'] } },
        { table: 'public.by_index', key: 'by_index_code' },
        { table: 'public.by_columns', key: ['b', 'a'] },
        '"Odd""Schema"."Odd.Table"',
      ],
      exclude: kept,
    },
  },
});
