import { defineReplication, env } from 'sarrio';

const tables = await new Promise<string[]>(() => undefined);

export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: { shop: { mode: 'one-way', source: 'east', targets: ['west'], tables } },
});
