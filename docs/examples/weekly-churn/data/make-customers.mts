/** Writes the customers: invented, and the same each time. `node data/make-customers.mts > data/customers.csv` */
const rows = 3000;
const random = randomFrom(20_261_116);

console.log('customer,plan,tenure_months,monthly_charge,logins,complaints,churned');
for (let customer = 1; customer <= rows; customer += 1) {
  const plan = (['basic', 'plus', 'family'] as const)[Math.floor(random() ** 2 * 3)] ?? 'basic';
  const tenure = Math.floor(random() ** 2 * 72) + 1;
  const charge = { basic: 9, plus: 19, family: 29 }[plan] + Math.floor(random() * 6);
  const complaints = Math.floor(-Math.log(1 - random()) * 1.2);
  const logins = Math.max(0, Math.round(14 + 5 * normal() - 2 * complaints));
  const wish = 1.1 * complaints - 0.16 * logins - 0.03 * tenure + 0.05 * charge - 0.9;
  const churned = random() < 1 / (1 + Math.exp(-wish)) ? 1 : 0;
  // Now and then the count of logins is lost.
  const counted = random() < 0.01 ? '' : logins;
  console.log([customer, plan, tenure, charge, counted, complaints, churned].join(','));
}

/** Box and Muller. */
function normal(): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Mulberry32: small, fast, the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
