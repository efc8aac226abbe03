import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL'), north: env('NORTH_URL') },
  syncs: {
    first: {
      mode: 'one-way',
      source: 'east',
      targets: ['west'],
      tables: [
        'public.missing_table',
        'public.missing_column',
        { table: 'public.omitted_column', missingColumns: 'omit' },
        'public.more_unique',
        'public.extra_column',
        'public.no_index',
        'public.view_there',
        'public.unlogged_there',
        'public.nulls',
        { table: 'public.key_omitted', columns: { omit: ['id'] } },
        { table: 'public.key_computed', columns: { compute: { id: 'id + 1' } } },
        'public.key_generated_there',
        { table: 'public.one', rename: 'public.both' },
        { table: 'public.two', rename: 'public.both' },
        { table: 'public.computed_generated', columns: { compute: { b: '1' } } },
        'public.with_key',
        'key.public_two',
      ],
    },
    second: {
      mode: 'one-way',
      source: 'east',
      targets: ['west', 'north'],
      missingColumns: 'omit',
      tables: [
        { table: 'public.one', key: 'one_other', rename: 'public.one_there' },
        { table: 'public.two', rename: 'public.both', captureTriggers: 'always' },
        'public.half_generated',
        'public.half_missing',
      ],
    },
  },
});
