import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: {
    shop: env('SHOP_URL'),
    replica: env('REPLICA_URL'),
    reports: env('REPORTS_URL'),
  },
  syncs: {
    shop: {
      mode: 'one-way',
      source: 'shop',
      targets: ['replica'],
      tables: ['public.*'],
      exclude: ['public.orders_today'],
    },
    reports: {
      mode: 'one-way',
      source: 'shop',
      targets: ['reports'],
      existingRows: 'replace',
      tables: [
        {
          table: 'public.customers',
          rename: 'sales.buyers',
          columns: {
            omit: ['email'],
            rename: { name: 'full_name' },
            compute: { mail_domain: "pg_catalog.split_part(email, '@', 2)" },
          },
        },
        { table: 'public.orders', rename: 'sales.orders', where: "status <> 'cart'", columns: { pick: ['id', 'customer_id', 'status', 'total'] } },
      ],
    },
  },
});
