import { defineReplication, env } from 'sarrio';

const databases: Record<string, ReturnType<typeof env>> = { east: env('EAST_URL') };

function pick(name: string): string {
  const found = databases[name];
  if (!found) throw new Error(`no database ${name}`);
  return name;
}

export default defineReplication({
  databases,
  syncs: { shop: { mode: 'one-way', source: pick('weast'), targets: ['east'], tables: [] } },
});
