/** What the pretend shop sells. */

export interface Product {
  id: number;
  title: string;
  priceCents: number;
  stock: number;
  /** A set: their order means nothing. */
  tags: readonly string[];
}

const titles = [
  'Teapot', 'Kettle', 'Cup', 'Saucer', 'Strainer', 'Tray', 'Tea cosy', 'Milk jug', 'Sugar bowl', 'Spoon', 'Infuser', 'Whisk',
  'Darjeeling', 'Assam', 'Sencha', 'Oolong', 'Rooibos', 'Earl Grey', 'Thé à la menthe', 'Früchtetee', 'Kännchen', 'Gaiwan', 'Caddy', 'Biscuits',
];
const tags = ['new', 'gift', 'handmade', 'organic', 'fair trade', 'porcelain', 'classic', 'winter'];

export const catalogue: readonly Product[] = titles.map((title, index) => ({
  id: index + 1,
  title,
  priceCents: 450 + index * 175,
  stock: (index * 37) % 60,
  tags: tags.filter((_, tag) => (index * 5 + tag * 3) % 4 < 2),
}));

export function productOf(id: number): Product | undefined {
  return catalogue[id - 1];
}
