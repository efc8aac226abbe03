import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { defineReplication, env } from 'sarrio';

const today = new Date().toISOString();

export default defineReplication({
  project: process.env['PROJECT'] ?? `shop-${hostname()}`,
  databases: { east: env('EAST_URL'), west: { env: process.env.WEST ?? 'WEST_URL' } },
  syncs: {
    shop: {
      mode: 'one-way',
      source: 'east',
      targets: ['west'],
      tables: [{ table: 'public.a', where: `at < '${today}' and ${Math.random()} > 0 and id <> '${randomUUID()}' and ${Date.now()} > 0` }],
    },
  },
});
