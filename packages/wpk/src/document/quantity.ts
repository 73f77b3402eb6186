const SUFFIXES: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}
const QUANTITY = /^(\d+(?:\.\d*)?|\.\d+)(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/

/**
 * A Kubernetes quantity (`100m`, `1.5`, `128Mi`, `1e3`) in its base unit: cores, bytes or counts. Undefined for
 * anything else, negative amounts included, which no workflow can mean.
 */
export function parseQuantity(text: string | number): number | undefined {
  if (typeof text === 'number') return Number.isFinite(text) && text >= 0 ? text : undefined
  const match = QUANTITY.exec(text)
  if (!match) return undefined
  const [, amount, exponent = '', suffix = ''] = match
  return Number(`${amount}${exponent}`) * SUFFIXES[suffix]!
}
