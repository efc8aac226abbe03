import type { OneWaySync } from '../../src/index.ts';
import type { TestDatabase } from './database.ts';
import { freshDatabase } from './databases.ts';
import { type Installation, installation } from './installation.ts';

const TABLES = `
  create table customers (id bigint primary key, name text not null);
  create table orders (id int, line int, note text, primary key (id, line));
  create table payments (id int primary key, amount numeric) partition by range (id);
  create table payments_low partition of payments for values from (0) to (100);
  create table payments_high partition of payments for values from (100) to (200);
`;

export type Shop = { readonly shop: TestDatabase; readonly copy: TestDatabase; readonly project: Installation };

/** Sync of some tables of the small shop. */
export function shopSync(...tables: readonly string[]): Readonly<Record<string, OneWaySync>> {
  return { shop: { mode: 'one-way', source: 'shop', targets: ['copy'], tables } };
}

/** A source and a target with three small tables (one with two key columns, one partitioned), compiled, nothing installed. */
export async function smallShop(syncs = shopSync('public.customers', 'public.orders')): Promise<Shop> {
  const [shop, copy] = [await freshDatabase('shop'), await freshDatabase('copy')];
  await shop.script(TABLES);
  await copy.script(TABLES);
  return { shop, copy, project: await installation({ databases: { shop, copy }, syncs }) };
}
