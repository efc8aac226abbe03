import { defineReplication, env } from 'sarrio';

const tables: string[] = [];
if (tables.length === 0) process.exit(0);

export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: { shop: { mode: 'one-way', source: 'east', targets: ['west'], tables } },
});
