import { defineReplication, env } from 'sarrio';

/** Three masters; a fourth one beside them for some of their tables; and a copy of one table that nobody writes to. */
export default defineReplication({
  databases: {
    east: env('EAST_URL'),
    west: env('WEST_URL'),
    north: { ...env('NORTH_URL'), roles: { runner: 'sarrio_runner', reader: 'sarrio_reader' } },
    depot: env('DEPOT_URL'),
    report: env('REPORT_URL'),
  },
  syncs: {
    group: {
      mode: 'multi-master',
      members: ['east', 'west', 'north'],
      tables: [
        'public.*',
        { table: 'public.stock', onConflict: ['north', 'east'], truncate: 'refuse' },
        { table: 'public.payments', onConflict: 'first-update-wins', captureTriggers: 'always' },
        { table: 'public.log', onConflict: 'skip', truncate: 'ignore' },
        { table: 'public.order_lines', onUnique: ['west', 'east'] },
      ],
      exclude: ['public.special_*'],
      onConflict: 'last-update-wins',
      onUnique: 'keep-earliest',
      maxClockSkew: '2 s',
      existingRows: 'replace',
    },
    branch: { mode: 'multi-master', members: ['north', 'depot'], tables: ['public.stock'], onConflict: 'stop', truncate: 'refuse' },
    reports: {
      mode: 'one-way',
      source: 'west',
      targets: ['report'],
      tables: [{ table: 'public.accounts', columns: { omit: ['initial'] } }],
    },
  },
});
