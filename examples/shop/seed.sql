-- 240,000 rows and a few more, the same every time.

insert into customers (email, name, password_hash, created_at)
select 'customer' || g || '@' || (array['example.com', 'example.net', 'example.org'])[1 + g % 3], 'Customer ' || g, md5(g::text),
  timestamptz '2025-01-01 00:00+00' + g * interval '7 minutes'
from generate_series(1, 20000) as g;

insert into products (id, name, price, stock, attributes)
select g, 'Product ' || g, (5 + g % 200)::numeric + 0.99, 10000, jsonb_build_object('weight', g % 40, 'tags', jsonb_build_array('t' || g % 7, 't' || g % 11))
from generate_series(1, 2000) as g;

insert into orders (customer_id, status, placed_at)
select 1 + g % 20000, (array['placed', 'paid', 'shipped'])[1 + g % 3]::order_status, timestamptz '2025-02-01 00:00+00' + g * interval '9 minutes'
from generate_series(1, 50000) as g;

insert into order_lines (order_id, line, product_id, quantity, unit_price)
select 1 + g / 2, 1 + g % 2, 1 + g % 2000, 1 + g % 5, (5 + g % 200)::numeric + 0.99
from generate_series(0, 99999) as g;

insert into payments (paid_on, id, order_id, amount, method)
select date '2025-02-01' + g / 120, g, g, 10 + g % 500, (array['card', 'transfer', 'voucher'])[1 + g % 3]
from generate_series(1, 50000) as g;

insert into reviews (id, product_id, stars, body, approved)
select g, 1 + g % 2000, 1 + g % 5, repeat('words ', g % 20), g % 4 <> 0
from generate_series(1, 20000) as g;

insert into web_sessions (customer_id) select g from generate_series(1, 1000) as g;
