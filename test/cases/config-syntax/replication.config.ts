import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { east: env('EAST_URL' },
});
