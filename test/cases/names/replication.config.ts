import { defineReplication, env, type TableConfig } from 'sarrio';

const shared: TableConfig[] = [{ table: 'public.ordres' }, { table: 'public.orders', columns: { pick: ['id', 'totl'] } }];

export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: {
    names: {
      mode: 'one-way',
      source: 'east',
      targets: ['west'],
      tables: [
        ...shared,
        'orders',
        'public."orders',
        'pub*.orders',
        'public.zebra_*',
        'public.orders_view',
        'public.scratch',
        'public.remote',
        'public.payments_2024',
        'public.no_key',
        'public.no_key_at_all',
        'public.orders',
        { table: 'public.bad_key', key: 'bad_kee' },
        { table: 'public.bad_key_columns', key: ['a', 'b'] },
        { table: 'public.nullable_key', key: 'nullable_key_a_key' },
        {
          table: 'public.columns',
          rename: 'public.c*',
          columns: { omit: ['c'], rename: { a: 'b', zz: 'y' }, compute: { z: '1' } },
        },
      ],
      exclude: ['public.lgo', 'public.tmp_*'],
    },
    patterns: {
      mode: 'one-way',
      source: 'east',
      targets: ['west'],
      tables: [
        { table: 'public.order*', where: 'id > 0' },
        { table: 'public.orders*', columns: { omit: ['nothing'] } },
        { table: 'public.col*', rename: 'public.other', key: 'x', columns: { pick: ['id'], rename: { a: 'b' }, compute: { d: '1' } } },
      ],
    },
  },
});
