interface Price {
  readonly amount: number;
  readonly currency: string;
}

export function described(number: number): string {
  const price: Price = { amount: number * 1.25, currency: 'EUR' };
  return `item ${number} costs ${price.amount} ${price.currency}`;
}
