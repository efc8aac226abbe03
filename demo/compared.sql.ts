import type { Compared } from '../test/support/compare.ts';

/**
 * Purpose: what the demo compares, row by row, and what its clients do. Reads: all replicated tables of the shop. Writes: the shop.
 * Called by: `main.ts`, `traffic.ts`, `board.ts`.
 */
export const TABLES: readonly string[] = ['public.customers', 'public.products', 'public.orders', 'public.order_lines', 'public.payments', 'public.reviews'];

/** The reporting copy with what its sync makes of the shop. */
export const REPORTED: readonly Compared[] = [
  {
    source: 'public.customers',
    columns: { id: 'id', email: 'email', name: 'name', wants_mail: 'wants_mail', created_at: 'created_at', email_domain: "split_part(email, '@', 2)" },
  },
  'public.products',
  'public.orders',
  'public.order_lines',
  'public.payments',
  { source: 'public.reviews', where: 'approved' },
];

/** A view at east, a table at reporting. */
export const NIGHTLY = 'public.sales_by_day';

/** How many payments the last nightly copy counted. */
export const COPIED_PAYMENTS = 'select coalesce(sum(payments), 0)::int as n from sales_by_day';

/** What a developer of the shop asks of all three databases while it is open. */
export const NEW_COLUMN = "set lock_timeout = '2s'; alter table products add column if not exists weight_grams integer";
export const WEIGHED = 'update products set weight_grams = 100 + id where id % 10 = 0';
export const UNWEIGHED = 'select count(*)::int as n from products where id % 10 = 0 and weight_grams is distinct from 100 + id';

export function COUNTS(table: string): string {
  return `select count(*)::text as n from ${table}`;
}

/** East and west give out numbers that never meet. */
export function numbersFrom(first: number): string {
  return `alter table customers alter column id set increment by 2 restart with ${first}; alter table orders alter column id set increment by 2 restart with ${first}`;
}

export const COPIED = 'select count(*)::int as n from sarrio.initial_copy where is_joined';
export const CONFLICTS = 'select strategy, count(*)::int as n from sarrio.conflict group by strategy order by strategy';

/** Every order of the demo's clients takes its lines out of the stock, so that stock and lines together stay what they were. */
export const STOCK = `
  select sum(stock)::int as stock, (select coalesce(sum(quantity), 0) from order_lines where order_id > 100000)::int as sold, count(*)::int * 10000 as began
  from products
`;

/** The few products that everybody buys; three that follow each other. */
function firstOf(turn: number): number {
  return (turn * 3) % 30;
}

/** One transaction of the shop, by turn. */
export function transaction(client: number, turn: number): string {
  const key = client * 1_000_000 + turn;
  switch (turn % 7) {
    case 0:
      return `with o as (insert into orders (customer_id, note) values (${1 + (key % 20000)}, 'web') returning id),
        l as (insert into order_lines (order_id, line, product_id, quantity, unit_price)
          select o.id, g, ${firstOf(turn)} + g, g, 9.99 from o, generate_series(1, 3) g returning product_id, quantity),
        s as (update products set stock = stock - l.quantity from l where id = l.product_id)
        insert into payments select date '2026-06-01' + ${key % 300}, ${10_000_000 + key}, o.id, 29.97, 'card' from o`;
    case 1:
      return `update orders set status = 'shipped', note = 'turn ${key}' where id = ${1 + ((key * 31) % 50000)}`;
    case 2:
      return `update products set price = price + 0.01, attributes = attributes || '{"turn": ${key}}' where id between ${1 + (key % 1990)} and ${6 + (key % 1990)}`;
    case 3:
      return `delete from orders where id = ${1 + ((key * 17) % 50000)}`;
    case 4:
      return `update payments set paid_on = paid_on + 200 where id = ${1 + ((key * 13) % 50000)} and paid_on < date '2026-03-01'`;
    case 5:
      // A few customers whom both sides know well.
      return `update customers set name = 'Customer of client ${client}', wants_mail = ${turn % 3 !== 0} where id = ${1 + (turn % 40)}`;
    default:
      // Somebody registers, on the other side perhaps in the same moment with the same address.
      if (turn % 21 === 6) return `insert into customers (email, name) values ('guest${turn}@example.org', 'Guest of client ${client}')`;
      return `update reviews set approved = not approved, id = id + 1000000 where id = ${1 + ((key * 7) % 20000)}`;
  }
}
