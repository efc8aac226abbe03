import { env } from 'sarrio';

const stray = { table: 'public.orders', collumns: { pick: ['id'] } };

export default {
  project: '9lives',
  databasse: {},
  databases: {
    east: env('EAST_URL'),
    west: 'postgresql://app:secret-password@west/app',
    'no spaces': env('X'),
    north: env('not a name'),
  },
  syncs: {
    shop: {
      mode: 'oneway',
      source: 'east',
      targets: [],
      tables: ['public.customers', stray, 7, { columns: {} }],
      existingRows: 'replce',
    },
    other: { mode: 'one-way', targets: 'west', tables: 'public.*', exlude: ['public.x'] },
    heavy: { mode: 'one-way', source: 'east', targets: ['west'], tables: ['public.*'], maxBacklog: '20 gigabytes' },
    heavier: { mode: 'one-way', source: 'east', targets: ['west'], tables: ['public.*'], maxBacklog: { rows: 0 } },
    heaviest: { mode: 'one-way', source: 'east', targets: ['west'], tables: ['public.*'], maxBacklog: {} },
  },
  approve: [{ hazard: 'drop-change', object: 'sarrio.delta_x', expires: '2026-13-01' }],
};
