/** Documents such as services answer with, for bench/compare.ts. */

export interface Order {
  id: number;
  uuid: string;
  customer: { name: string; email: string; vip: boolean };
  createdAt: string;
  updatedAt: string;
  total: number;
  currency: string;
  lines: { sku: string; quantity: number; price: number; title: string }[];
  tags: string[];
  note: string | null;
  status: string;
}

export function order(id: number): Order {
  return {
    id,
    uuid: `3f2c1a9e-1b2c-4d5e-8f90-${String(id).padStart(12, '0')}`,
    customer: { name: 'Ann Example', email: `ann.${id}@example.com`, vip: id % 3 === 0 },
    createdAt: '2026-11-21T09:59:00.000Z',
    updatedAt: '2026-11-21T10:00:00.000Z',
    total: 120.45 + id,
    currency: 'EUR',
    lines: [
      { sku: 'A-100', quantity: 2, price: 10.5, title: 'A thing with a name' },
      { sku: 'B-200', quantity: 1, price: 99.95, title: 'Grüße: another thing' },
    ],
    tags: ['new', 'gift'],
    note: null,
    status: 'open',
  };
}

/** An order with what stands around it in an answer: about 1 KB. */
export function addressed(id: number) {
  return {
    requestId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
    order: order(id),
    address: { street: 'Main Street 5', city: 'Berlin', zip: '10115', country: 'DE', geo: { lat: 52.532, lon: 13.384 } },
    links: { self: `/orders/${id}`, invoice: `/orders/${id}/invoice`, customer: '/customers/4711' },
    history: ['created', 'paid', 'packed'].map((event, index) => ({ event, at: `2026-11-21T1${index}:00:00Z`, by: 'system' })),
    remark: 'Leave it with the neighbours on the second floor if nobody is at home',
  };
}

/** `count` orders: 22 are 10 KB. */
export function orders(first: number, count: number) {
  return { page: 1, pageSize: count, total: 1_000, orders: Array.from({ length: count }, (_, index) => order(first + index)) };
}
